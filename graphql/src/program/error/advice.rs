//! What to do about each failure of the program, in Chinese and English.

/// What to do, in Chinese and in English.
type Advice = (&'static str, &'static str);

pub(super) const PORT_IN_USE: Advice = (
    "请用 --listen 换一个端口(端口 0 由系统选择),或先停止占用它的程序",
    "choose another port with --listen (port 0 lets the system choose), or stop the other program",
);
pub(super) const CANNOT_LISTEN: Advice = (
    "请检查 --listen 的地址是否属于本机、是否需要更高权限",
    "check that the address of --listen belongs to this computer and needs no privilege",
);
pub(super) const NOT_LOOPBACK: Advice = (
    "试用请用 --listen 127.0.0.1:端口;对外服务请去掉 --dev 并配置统一身份认证",
    "to try it out use --listen 127.0.0.1:PORT; to serve others drop --dev and configure identity",
);
pub(super) const NO_IDENTITY: Advice = (
    "请在 --config 文件中写 [identity] jwks_file、issuer、audience;只在本机试用则加 --dev",
    "give [identity] jwks_file, issuer and audience in a --config file; to try it on this computer add --dev",
);
pub(super) const IDENTITY: Advice = (
    "请检查 [identity] 的 jwks_file 是否为 JWKS 文件、issuer 与 audience 是否正确",
    "check that jwks_file of [identity] is a JWKS file, and issuer and audience",
);
pub(super) const VIRTUAL_TIME: Advice = (
    "演示或试用的文件夹只能以 serve --dev 打开;正式服务请换一个新文件夹",
    "a folder of the demo or of --dev opens with serve --dev only; use a new folder for real service",
);
pub(super) const FOLDER_IN_USE: Advice = (
    "请先停止那个进程,或换一个文件夹;已保存的内容不受影响",
    "stop that process or use another folder; nothing stored is affected",
);
pub(super) const FOLDER_DAMAGED: Advice = (
    "没有备份时,请原样保留该文件夹并联系支持人员",
    "without a backup keep the folder as it is and ask for support",
);
pub(super) const STORE_DIFFERS: Advice = (
    "列表、队列、计时、编号可用 tongban store rebuild 重建;日志、文件、编号计数的差异须从备份恢复",
    "tongban store rebuild puts lists, queues, timers and numbers right; logs, files and counters come from a backup",
);
#[cfg(feature = "sim")]
pub(super) const PROMISE_BROKEN: Advice = (
    "请用上面的命令重放该种子,并把它记入 engine/src/sim/world/seeds.txt",
    "repeat the seed by the command above, and keep it in engine/src/sim/world/seeds.txt",
);
pub(super) const CARRY: Advice = (
    "请按上述原因处理后重试;原数据文件夹未被改动",
    "mend what is named above and try again; the data folder was not changed",
);
pub(super) const NO_CONTROL: Advice = (
    "请以运行该服务的用户执行,或停止服务后再备份",
    "run this as the user who runs the server, or stop the server first",
);
pub(super) const CANNOT_CREATE: Advice =
    ("请检查路径、权限和磁盘空间", "check the path, its permissions and the space on the disk");
pub(super) const CONFIG_UNREADABLE: Advice =
    ("请检查 --config 的路径和权限", "check the path given by --config and its permissions");
pub(super) const CONFIG_WRONG: Advice = (
    "请改正该处;写法见 tongban serve --help",
    "correct it there; tongban serve --help shows the form",
);
pub(super) const DOCUMENTS_WRONG: Advice = (
    "请按以上各条改正后再试;tongban schema --of 种类 给出写法",
    "correct what is listed above; tongban schema --of KIND shows the form",
);
pub(super) const SCRIPTS_WRONG: Advice = (
    "请按以上各条改正后再试;tongban scripts check 可随时检查",
    "correct what is listed above; tongban scripts check checks at any time",
);
pub(super) const SCRIPTS_UNREADABLE: Advice = (
    "请检查路径和权限;脚本文件夹应含 services 和 matters",
    "check path and permissions; a script folder holds services and matters",
);
pub(super) const NO_REHEARSAL: Advice = (
    "排练的写法可参考随程序附带的 scripts/services/construction-start.rehearsal.rhai",
    "the shipped scripts/services/construction-start.rehearsal.rhai shows how one is written",
);
pub(super) const REHEARSALS_FAILED: Advice = (
    "请按上面的差异改脚本或排练;经过无误时可用 --update 改写",
    "correct the script or the rehearsal as listed above; --update rewrites printed histories",
);
pub(super) const CALENDAR_WRONG: Advice = (
    "请改正后重试;两种格式的示例见 tongban calendar import --help",
    "correct it and try again; tongban calendar import --help shows both formats",
);
pub(super) const CALENDAR_QUESTION: Advice = (
    "请写带时区的时刻,如 2026-03-02T09:00:00+08:00",
    "give times with their offset, such as 2026-03-02T09:00:00+08:00",
);
pub(super) const SERVICE_UNKNOWN: Advice = (
    "请检查服务代码;脚本在其他文件夹时用 --path 指定",
    "check the code of the service; give --path when the scripts are in a folder",
);
pub(super) const ANSWERS: Advice = (
    "请用 --answers 给出全部答案:JSON 对象,或含有它的文件",
    "give every answer with --answers: a JSON object, or a file of one",
);
pub(super) const SCRIPT_EXISTS: Advice =
    ("请换一个代码,或直接修改该文件", "choose another code, or edit that file");
pub(super) const CODE_WRONG: Advice = (
    "代码由小写字母、数字和连字符组成,以字母开头,最多 64 个字符",
    "a code begins with a letter and holds lower-case letters, digits and hyphens, at most 64",
);
pub(super) const NOTHING_TO_WATCH: Advice = (
    "请用 --scripts 指定脚本文件夹;内置脚本不会改动",
    "name the folder with --scripts; the shipped scripts do not change",
);
pub(super) const TOKEN_NEEDS_DEV: Advice = (
    "请加上 --dev;正式环境的令牌由统一身份认证签发",
    "add --dev; in real service your identity provider signs tokens",
);
pub(super) const TOKEN_USELESS: Advice = (
    "请补上该参数;示例见 tongban token --help",
    "add that flag; tongban token --help shows examples",
);
pub(super) const NO_DEV_KEY: Advice = (
    "请先运行 tongban serve --dev --data 同一文件夹,密钥会写在其中",
    "run tongban serve --dev --data with the same folder first; it writes the key there",
);
pub(super) const REGIONS_WRONG: Advice = (
    "请改正该行;示例见 tongban id check --help",
    "correct that line; tongban id check --help shows the form",
);
pub(super) const ENGINE: Advice = (
    "请按上面的原因处理后再试;已保存的内容不受影响",
    "deal with the reason above, then try again; nothing stored is affected",
);
pub(super) const DEMO_UNFINISHED: Advice = (
    "可加环境变量 RUST_LOG=tongban=debug 再运行一次查看过程",
    "run it again with RUST_LOG=tongban=debug in the environment to see what happens",
);
pub(super) const REAL_TIME: Advice =
    ("请不要指定 --data,或指定一个新文件夹", "leave --data out, or name a new folder");
pub(super) const ELSEWHERE: Advice = (
    "请用 --config 给出该数据文件夹一直使用的配置",
    "name the configuration that this data folder has always been used with in --config",
);
pub(super) const INPUT_OUTPUT: Advice =
    ("请检查磁盘和权限后再试", "check the disk and the permissions, then try again");
pub(super) const CASE_QUESTION: Advice = (
    "请核对办件编号和记录序号;办件须在所给的数据文件夹或文件中",
    "check number and entry; the case must be in the folder or file that is named",
);
pub(super) const VERSION_UNKNOWN: Advice = (
    "请给出脚本文件夹,或数据文件夹中已有版本的摘要(开头几位即可)",
    "name a folder of scripts, or the digest of a version that the data folder knows (its beginning will do)",
);
pub(super) const AUDIT_BROKEN: Advice = (
    "请与备份或另行保管的摘要比对,查明该条记录何时被改动",
    "compare with a backup, or with a digest that was kept elsewhere, to learn when the record was changed",
);
pub(super) const DIVERGES: Advice = (
    "请在新脚本中用 patched(…) 保留旧做法,或让这些办件留在原版本",
    "keep the old way in the new scripts behind patched(…), or leave these cases on their version",
);
pub(super) const SERVER_REFUSED: Advice = (
    "请核对 --server 地址和令牌的角色;试点和启用须用发布人以外的令牌",
    "check --server and the role of the token; who published a version does not let it be used",
);
