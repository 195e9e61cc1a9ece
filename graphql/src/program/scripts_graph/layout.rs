//! Places the matters: columns by what comes after what, rows with few crossings.
//!
//! The usual layered way. A matter stands one column after the last that it waits for. An edge
//! over several columns gets a bend in each column between, so that it does not run through
//! boxes. Sweeps to and fro order each column by the middle of its neighbours; then boxes are
//! moved towards their neighbours as far as the column's order and the gaps allow. All of it is
//! deterministic, in whole pixels.

use super::{Edge, EdgeKind, Graph};

/// Width of a box.
pub(super) const BOX_WIDTH: i32 = 212;
/// Room between columns, where edges run.
const COLUMN_GAP: i32 = 76;
/// Room between what stands above each other.
const ROW_GAP: i32 = 22;
/// Height of a bend, enough to tell parallel edges apart.
const BEND_HEIGHT: i32 = 8;
/// Times that the columns are swept to and fro.
const SWEEPS: usize = 12;

/// Where a matter stands, from its upper left corner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) height: i32,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn middle(self) -> i32 {
        self.y + self.height / 2
    }

    pub(super) fn right(self) -> i32 {
        self.x + BOX_WIDTH
    }
}

/// Where everything stands.
#[derive(Debug)]
pub(super) struct Layout {
    /// The matters, as in the graph.
    pub(super) places: Vec<Place>,
    /// For each edge of the graph the heights of its bends, one per column that it crosses.
    pub(super) bends: Vec<Vec<(i32, i32)>>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// Something that takes room in a column: a matter, or the bend of an edge.
#[derive(Clone, Debug)]
struct Item {
    column: usize,
    height: i32,
    y: i32,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Item {
    fn middle(&self) -> i32 {
        self.y + self.height / 2
    }
}

/// Items with the columns that hold them in order from above.
struct Grid {
    items: Vec<Item>,
    columns: Vec<Vec<usize>>,
    /// For each edge its items between its ends.
    chains: Vec<Vec<usize>>,
}

/// Places a graph whose boxes have these heights.
pub(super) fn place(graph: &Graph, heights: &[i32]) -> Layout {
    let columns = columns_of(graph);
    let mut grid = Grid::of(graph, heights, &columns);
    grid.order();
    grid.stack();
    for _ in 0..SWEEPS {
        grid.pull(Item::before_of);
        grid.pull(Item::after_of);
    }
    grid.finish(graph)
}

/// Returns the column of each matter: one after the last that it waits for. Scripts with a
/// cycle are not loaded; should there be one, the rounds end all the same.
fn columns_of(graph: &Graph) -> Vec<usize> {
    let mut columns = vec![0; graph.nodes.len()];
    for _ in &graph.nodes {
        for edge in graph.edges.iter().filter(|edge| waits(edge)) {
            columns[edge.to] = columns[edge.to].max(columns[edge.from] + 1);
        }
    }
    columns
}

fn waits(edge: &Edge) -> bool {
    edge.kind != EdgeKind::Tolerant
}

impl Item {
    fn before_of(&self) -> &[usize] {
        &self.before
    }

    fn after_of(&self) -> &[usize] {
        &self.after
    }
}

impl Grid {
    fn of(graph: &Graph, heights: &[i32], columns: &[usize]) -> Self {
        let item = |column: usize, height: i32| Item {
            column,
            height,
            y: 0,
            before: Vec::new(),
            after: Vec::new(),
        };
        let mut items: Vec<Item> =
            columns.iter().zip(heights).map(|(column, height)| item(*column, *height)).collect();
        let mut chains = Vec::new();
        for edge in &graph.edges {
            let mut chain = Vec::new();
            let mut last = edge.from;
            for column in columns[edge.from] + 1..columns[edge.to] {
                items.push(item(column, BEND_HEIGHT));
                let bend = items.len() - 1;
                items[last].after.push(bend);
                items[bend].before.push(last);
                chain.push(bend);
                last = bend;
            }
            if columns[edge.from] < columns[edge.to] {
                items[last].after.push(edge.to);
                items[edge.to].before.push(last);
            }
            chains.push(chain);
        }
        let count = columns.iter().max().map_or(0, |last| last + 1);
        let mut all = vec![Vec::new(); count];
        for (no, item) in items.iter().enumerate() {
            all[item.column].push(no);
        }
        Self { items, columns: all, chains }
    }

    /// Orders the columns, and keeps the order with the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for sweep in 0..SWEEPS {
            let count = self.columns.len();
            if sweep % 2 == 0 {
                (1..count).for_each(|column| self.sort(column, Item::before_of));
            } else {
                (0..count.saturating_sub(1))
                    .rev()
                    .for_each(|column| self.sort(column, Item::after_of));
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![0; self.items.len()];
        for column in &self.columns {
            for (rank, item) in column.iter().enumerate() {
                ranks[*item] = rank;
            }
        }
        ranks
    }

    /// Sorts a column by the mean rank of its neighbours on one side; who has none stays.
    fn sort(&mut self, column: usize, neighbours: fn(&Item) -> &[usize]) {
        let ranks = self.ranks();
        let items = &self.items;
        let key = |item: &usize| {
            let near = neighbours(&items[*item]);
            let sum: usize = near.iter().map(|other| ranks[*other] * 64).sum();
            sum.checked_div(near.len()).unwrap_or(ranks[*item] * 64)
        };
        self.columns[column].sort_by_key(key);
    }

    fn crossings(&self) -> usize {
        let ranks = self.ranks();
        let pairs = |column: &Vec<usize>| -> Vec<(usize, usize)> {
            let ends = |from: &usize| {
                let rank = ranks[*from];
                let after = self.items[*from].after.iter();
                after.map(move |to| (rank, *to)).collect::<Vec<_>>()
            };
            column.iter().flat_map(ends).map(|(from, to)| (from, ranks[to])).collect()
        };
        let crossed = |one: &(usize, usize), other: &(usize, usize)| {
            (one.0 < other.0 && one.1 > other.1) || (one.0 > other.0 && one.1 < other.1)
        };
        let columns = self.columns.iter().map(pairs);
        let counts = columns.map(|edges| {
            let each = edges.iter().enumerate();
            each.map(|(no, one)| edges[no + 1..].iter().filter(|other| crossed(one, other)).count())
                .sum::<usize>()
        });
        counts.sum()
    }

    /// Stacks every column from above, its middle on one line with the others'.
    fn stack(&mut self) {
        for column in &self.columns {
            let sum: i32 = column.iter().map(|item| self.items[*item].height + ROW_GAP).sum();
            let mut y = -(sum - ROW_GAP) / 2;
            for item in column {
                self.items[*item].y = y;
                y += self.items[*item].height + ROW_GAP;
            }
        }
    }

    /// Moves each item towards the mean of its neighbours on one side, order and gaps kept: what
    /// stands nearer to the wish of its group pushes the others.
    fn pull(&mut self, neighbours: fn(&Item) -> &[usize]) {
        for column in 0..self.columns.len() {
            let order = self.columns[column].clone();
            let wishes: Vec<i32> = order
                .iter()
                .map(|item| {
                    let near = neighbours(&self.items[*item]);
                    let sum: i32 = near.iter().map(|other| self.items[*other].middle()).sum();
                    let count = i32::try_from(near.len()).unwrap_or(i32::MAX);
                    let own = self.items[*item].middle();
                    sum.checked_div(count).unwrap_or(own) - self.items[*item].height / 2
                })
                .collect();
            for (item, y) in order.iter().zip(self.settled(&order, &wishes)) {
                self.items[*item].y = y;
            }
        }
    }

    /// Returns heights near the wishes that keep order and gaps: the mean of pushing everything
    /// down and pushing everything up.
    fn settled(&self, order: &[usize], wishes: &[i32]) -> Vec<i32> {
        let mut down = wishes.to_vec();
        for no in 1..order.len() {
            let floor = down[no - 1] + self.items[order[no - 1]].height + ROW_GAP;
            down[no] = down[no].max(floor);
        }
        let mut up = wishes.to_vec();
        for no in (0..order.len().saturating_sub(1)).rev() {
            let ceiling = up[no + 1] - self.items[order[no]].height - ROW_GAP;
            up[no] = up[no].min(ceiling);
        }
        down.iter().zip(&up).map(|(down, up)| i32::midpoint(*down, *up)).collect()
    }

    fn finish(mut self, graph: &Graph) -> Layout {
        let top = self.items.iter().map(|item| item.y).min().unwrap_or_default();
        for item in &mut self.items {
            item.y -= top;
        }
        let x =
            |column: usize| i32::try_from(column).unwrap_or_default() * (BOX_WIDTH + COLUMN_GAP);
        let places = self.items[..graph.nodes.len()].iter().map(|item| Place {
            x: x(item.column),
            y: item.y,
            height: item.height,
            column: item.column,
        });
        let bend = |item: &usize| {
            let item = &self.items[*item];
            (x(item.column), item.middle())
        };
        let bends = self.chains.iter().map(|chain| chain.iter().map(bend).collect());
        Layout {
            places: places.collect(),
            bends: bends.collect(),
            width: x(self.columns.len().saturating_sub(1)) + BOX_WIDTH,
            height: self.items.iter().map(|item| item.y + item.height).max().unwrap_or_default(),
        }
    }
}
