//! Help texts, and what the program says about a wrong command line.

use clap::CommandFactory as _;
use expect_test::{Expect, expect};

use super::*;

fn help(words: &[&str]) -> String {
    let mut command = Arguments::command();
    command.build();
    for word in words {
        command = command.find_subcommand(word).expect("the subcommand exists").clone();
    }
    let text = command.term_width(100).render_long_help().to_string();
    // Which blanks end a line depends on how the dependencies were built together.
    let lines = text.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

fn check(words: &[&str], expected: &Expect) {
    expected.assert_eq(&help(words));
}

#[test]
fn the_program_says_what_it_can_do() {
    check(
        &[],
        &expect![[r#"
            通办:高效办成一件事的引擎。 / Tongban: the engine for one-thing-one-go government services

            Usage: tongban <COMMAND>

            Commands:
              demo          演示:自动办完“开工审批一件事”。 / Run one case of eight permits, live
              serve         启动服务。 / Serve the GraphQL API
              token         签发本机试用令牌。 / Sign a token for a server started with --dev
              scripts       脚本工具。 / Tools for those who write services
              case          单个办件:回看、导出、暂停、恢复、停止、换版本。 / One case: time travel, export, pause, resume, cancel,
                            rebind
              incidents     异常:列出、查看、处理。 / Incidents: list, show, settle
              audit         审计日志:列出、核验。 / The audit log: list, verify
              calendar      期限与日历。 / Limits and calendars
              id            号码。 / Identifiers that people bring
              figures       统计:按时率、减免率、补正、中止、督办、卡点。 / Figures: on time, exempted, corrected, stuck
              import        导入机构人员、绑定、协议、日历、督办规则。 / Import offices, people, agreements, rules
              blobs         办件文件的维护。 / Upkeep of the files of cases
              store         核对与重建。 / Check what is stored against the logs, put it right
              backup        备份数据文件夹,服务可以正在运行。 / Back up a data folder, served or not
              restore       把备份恢复到新的数据文件夹。 / Restore a backup into a new data folder
              export        把办件导出为一个文件。 / Export cases into one file
              import-cases  导入导出的办件。 / Import exported cases into another data folder
              bench         在本机自测。 / Measure this program on this machine
              schema        输出 GraphQL 接口定义。 / Print the GraphQL schema (SDL)
              help          Print this message or the help of the given subcommand(s)

            Options:
              -h, --help
                      Print help

              -V, --version
                      Print version

            示例 / Examples:
              tongban demo                                   看一件办件走完八个许可 / see eight permits in one case
              tongban demo --exit --format json              办完即退出,只输出一份汇总 / one summary, then end
              tongban serve --dev --data ./data              本机试用 / try it on this computer
              tongban token --dev --data ./data --role approver --region 420300 --department natural-resources
              tongban scripts check ./scripts                上线前检查脚本 / check scripts before deploying
              tongban calendar due --from 2026-02-12 --limit "5 working days" --region 420300
              tongban id check 420302199001010015            核对号码 / check a number
              tongban schema > schema.graphql                输出接口定义 / print the schema

            退出码 / Exit codes: 0 完成 done, 1 程序缺陷 bug, 2 用法 usage, 65 数据或脚本 data or scripts,
              69 不可用 unavailable, 70 演示未办成 demo not finished, 73 无法创建 cannot create, 74 读写失败 I/O,
              75 稍后再试 try later, 78 配置 configuration
        "#]],
    );
}

#[test]
fn demo_says_what_it_can_do() {
    check(
        &["demo"],
        &expect![[r#"
            演示:自动办完“开工审批一件事”。 / Run one case of eight permits, live

            Usage: tongban demo [OPTIONS]

            Options:
                  --exit
                      办完后退出,全部如期办结时状态为 0。 / End after the run; status 0 only if all ended well

                  --format <FORMAT>
                      结果的格式。 / How the result is written to standard output

                      Possible values:
                      - text: 供人阅读 / for people
                      - json: 供程序读取 / for programs
          
                      [default: text]

                  --data <DIR>
                      数据文件夹,默认新建在系统临时目录。 / Data folder; a new one among the temporary files by default

                  --listen <ADDR>
                      监听地址,端口 0 由系统选择。 / Where to listen; port 0 lets the system choose
          
                      [default: 127.0.0.1:0]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban demo
              tongban demo --exit --format json > summary.json
              tongban demo --data ./demo        再次运行会在同一文件夹中再办一件 / run it again for a second case
        "#]],
    );
}

#[test]
fn serve_says_what_it_can_do() {
    check(
        &["serve"],
        &expect![[r#"
            启动服务。 / Serve the GraphQL API

            Usage: tongban serve [OPTIONS] --data <DIR>

            Options:
                  --data <DIR>
                      数据文件夹,没有则新建。 / Data folder; created when it does not exist

                  --listen <ADDR>
                      监听地址。 / Where to listen

                      [default: 127.0.0.1:7400]

                  --dev
                      试用:密钥写入数据文件夹,仅本机可访问。 / Try it out: a key in the data folder, this computer alone

                  --config <FILE>
                      配置文件。 / Configuration file

                  --scripts <DIR>
                      脚本文件夹,优先于配置文件。 / Folder of scripts; wins over the configuration file

                  --watch
                      脚本文件改动后自动检查,无误即对新办件生效(须同时给出 --dev)。 / Check scripts when they change, and use them for new
                      cases (with --dev)

              -h, --help
                      Print help

            示例 / Examples:
              tongban serve --dev --data ./data
              tongban serve --data /var/lib/tongban --listen 0.0.0.0:7400 --config tongban.toml

            配置文件 / Configuration file (TOML):
              party = "420300/tongban"                # 本方名称,有 cxp 连接器时必填 / our name, needed for cxp
              scripts = "scripts"                     # 省略则用内置脚本 / shipped scripts when left out
              publishing = "approved"                 # 默认须另一人启用;loaded 加载即启用 / two persons; loaded: at once
              [identity]
              jwks_file = "jwks.json"                 # 统一身份认证的公钥 / public keys of your identity provider
              issuer = "https://id.example.org"
              audience = "tongban"
              [storage.s3]                              # 文件和参考数据存入 S3,默认在数据文件夹 / a bucket instead of the folder
              endpoint = "https://s3.example.org"     # 密钥取自 AWS_ACCESS_KEY_ID 等环境变量或 credentials_file
              bucket = "tongban"
              region = "cn-1"
              [seal.http]                               # 电子印章服务;不设则文书只有草稿 / who seals; drafts only without
              base_url = "https://seal.example.org"
              keys_file = "seal-keys.json"            # 印章的公钥 (JWKS) / public keys of its seals
              secret_env = "SEAL_SECRET"              # 或 secret_file;口令不写在这里 / or secret_file; never the secret
              itself
              [connectors.natural-resources.cxp]        # 部门业务系统 / an agency with a system
              base_url = "http://10.0.0.8:8080"
              party = "420300/natural-resources"
              trust = "unsigned"                      # 尚无签名,须明确写出 / no signatures yet; say so
              [connectors.counter.manual]               # 没有系统的部门 / an office without a system
              role = "urban-management.clerk"
              [[bindings]]                              # 哪个连接器承接哪些操作 / which connector carries what
              operation = "natural-resources.*"
              region = "420300"
              connector = "natural-resources"
              reply_within = "2 working days"           # 约定的答复期限,可省略 / agreed time to answer; may be left out
        "#]],
    );
}

#[test]
fn token_says_what_it_can_do() {
    check(
        &["token"],
        &expect![[r#"
            签发本机试用令牌。 / Sign a token for a server started with --dev

            Usage: tongban token [OPTIONS] --data <DIR> --role <ROLE>

            Options:
                  --dev
                      用数据文件夹中的试用密钥签名(必填,别无其他密钥)。 / Sign with the folder's key; there is no other

                  --data <DIR>
                      曾以 `serve --dev` 启动的数据文件夹。 / Data folder of a `serve --dev`

                  --role <ROLE>
                      角色。 / The role

                      Possible values:
                      - applicant:    申请人 / files for himself or his enterprise
                      - window-clerk: 窗口人员 / receives and accepts in a region
                      - approver:     审批人员 / decides for a department
                      - integrator:   集成人员 / writes and publishes services
                      - supervisor:   督查人员 / sees everything of a region, changes nothing
                      - office-head:  机关负责人 / heads an office: approves extensions and revocations
                      - system-admin: 系统管理员 / keeps the engine running in a region, decides nothing

                  --region <CODE>
                      行政区划代码,可重复;市含所辖区县。 / Region code, repeatable; a city includes its districts

                  --department <CODE>
                      部门代码,可重复。 / Department code, repeatable

                  --party <ID>
                      申请人的证件号码或统一社会信用代码。 / For an applicant: the identifier he files for

                  --subject <NAME>
                      人员标识,默认 dev:角色。 / Who it is; `dev:ROLE` by default

                  --hours <N>
                      有效小时数,1 至 720。 / Hours of validity, 1 to 720

                      [default: 8]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban token --dev --data ./data --role applicant --party 91420302MA4DEM010M
              tongban token --dev --data ./data --role window-clerk --region 420300
              tongban token --dev --data ./data --role approver --region 420300 --department natural-resources
              tongban token --dev --data ./data --role supervisor --region 420300 --hours 1
        "#]],
    );
}

#[test]
fn scripts_check_says_what_it_can_do() {
    check(
        &["scripts", "check"],
        &expect![[r#"
            检查脚本:逐条给出文件、行、原文和建议。 / Check scripts; each finding with file, line and advice

            Usage: tongban scripts check [OPTIONS] <PATH>

            Arguments:
              <PATH>
                      含 services、matters、lib 的文件夹。 / Folder with services, matters and lib

            Options:
                  --operations <FILE>
                      部门操作目录;默认用文件夹中的 operations.json,再没有则用内置的。 / Catalogue of operations; by default
                      operations.json in the folder, else the shipped one

                  --format <FORMAT>
                      结果的格式。 / How the findings are written

                      Possible values:
                      - text: 供人阅读 / for people
                      - json: 供程序读取 / for programs
          
                      [default: text]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban scripts check ./scripts
              tongban scripts check ./scripts --operations ./operations.json --format json

            没有问题时退出码为 0,有问题时为 65。 / Exit code 0 when nothing is wrong, 65 otherwise.
        "#]],
    );
}

#[test]
fn id_check_says_what_it_can_do() {
    check(
        &["id", "check"],
        &expect![[r#"
        核对号码:是哪一类、对不对、错在哪里。 / Tell what a number is, whether it is right, and if not, why

        Usage: tongban id check [OPTIONS] <VALUE>

        Arguments:
          <VALUE>
                  号码;写 - 则从标准输入读取第一行。 / The number; `-` reads the first line of standard input

        Options:
              --kind <KIND>
                  类别;省略则由号码的形式判断。 / Its kind; told from its form when left out

                  Possible values:
                  - citizen-id:       公民身份号码 / citizen identity number
                  - credit-code:      统一社会信用代码 / unified social credit code
                  - region-code:      行政区划代码 / region code
                  - matter-item-code: 事项编码 / matter item code
                  - case-no:          办件编号(本系统形式) / case number of our own form
                  - license-id:       电子证照标识 / electronic licence identifier
                  - project-code:     投资项目代码 / investment project code

              --regions <FILE>
                  本地区划代码表。 / Local region codes beside those of the nation

              --format <FORMAT>
                  结果的格式。 / How the result is written

                  Possible values:
                  - text: 供人阅读 / for people
                  - json: 供程序读取 / for programs

                  [default: text]

          -h, --help
                  Print help (see a summary with '-h')

        示例 / Examples:
          tongban id check 420302199001010015                       公民身份号码 / citizen number
          tongban id check 91420302MA4DEM010M                       统一社会信用代码 / credit code
          tongban id check 420300                                   行政区划代码 / region code
          tongban id check 000117002000 --kind matter-item-code     指明类别 / name the kind
          tongban id check 2604-420302-04-01-123456 --format json   供程序读取 / for programs
          tongban id check -                                        从标准输入读取 / read standard input
          tongban id check 4203A1 --kind region-code --regions local-regions.csv

        本地区划代码表 / Local region codes (CSV):
          code,name,level,parent
          4203A1,示例开发区,county,420300

        号码不会被记录;命令行会留在终端历史中,真实号码请用 - 从标准输入读取。
        The number is recorded nowhere; but a shell keeps its history, so give real ones through standard
        input (-).
        以往的区划代码、校验不符的旧组织机构代码只是提示,不影响有效性。
        Region codes of the past and broken inner organisation codes are warnings; the number stays valid.

        退出码 / Exit codes: 0 有效 valid, 65 无效 not valid.
    "#]],
    );
}

#[test]
fn the_command_line_is_without_contradiction() {
    Arguments::command().debug_assert();
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let wrong = ["serve", "serve --data d --listen nowhere", "token --role king", "dmo"];
    for line in wrong {
        let words = std::iter::once("tongban").chain(line.split(' '));
        let error = Arguments::try_parse_from(words).unwrap_err();
        assert_eq!(told(&error), Exit::Usage, "{line}");
    }
}
