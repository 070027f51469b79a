//! The same in Chinese.

use verifier::BinderKind;

use crate::fields::Part;
use crate::words::Words;

const READER: &str = "任何读取该码的人";
const NOBODY: &str = "无人";
const COMPARE: &str = "互相比对的门岗；家乡节点";
const KEEPER: &str = "任何保存该码的人";

const fn words(
    title: &'static str,
    meaning: &'static str,
    reveals: &'static str,
    to: &'static str,
) -> Words {
    Words {
        title,
        meaning,
        reveals,
        to,
    }
}

impl Words {
    pub(crate) const fn zh(part: Part, kind: BinderKind) -> Self {
        match part {
            Part::Version
            | Part::Circuit
            | Part::Epoch
            | Part::RuleSet
            | Part::RiskMap
            | Part::Claim => of_statement(part),
            Part::BinderKind | Part::HolderKey | Part::RevocationHash => of_holder(part, kind),
            Part::ProofA | Part::ProofB | Part::ProofC => of_proof(part),
            _ => of_showing(part),
        }
    }
}

const fn of_statement(part: Part) -> Words {
    match part {
        Part::Circuit => words(
            "电路",
            "电路与验证密钥标识的前4个字节；首位表示测试还是正式",
            "由哪个电路和密钥证明、是否为样张：同一密钥下的凭证都相同",
            READER,
        ),
        Part::Epoch => words(
            "期次",
            "证明所依据的登记表的期次编号",
            "凭证有多新：信任列表给出该期的截止时刻。与新登记表断开的省份，其凭证的期次比别处旧，因此过旧的期次会缩小家乡省份的范围",
            "任何读取该码并持有信任列表的人，人人皆可持有",
        ),
        Part::RuleSet => words(
            "规则集",
            "所用规则表摘要的最后4个字节",
            "凭证打算在哪里出示：规则是出示地或全国的规则，不是持有人居住地的规则",
            "任何读取该码的人；家乡节点（由其签发）",
        ),
        Part::RiskMap => words(
            "风险地图",
            "风险地图根的最后4个字节",
            "与个人无关：同一时间人人用同一张地图，无论记录中有哪些地点",
            READER,
        ),
        Part::Claim => words(
            "声明",
            "所证明的界限：可接受的最差颜色，以及检测时限（0、24、48、72小时之一）",
            "仅此界限。“非红码”不区分绿码与黄码；检测时限只说明有这样一次检测，不说明何时何地",
            READER,
        ),
        _ => words("版本", "字节布局的版本", "无：每张凭证都是1", NOBODY),
    }
}

const fn of_holder(part: Part, kind: BinderKind) -> Words {
    match (part, kind) {
        (Part::HolderKey, _) => words(
            "持有人密钥 K",
            "持有人的一次性密钥，出示时用它签名",
            "哪些出示属于同一张凭证。它不能把两张凭证联系起来：手机为每张凭证使用新的密钥。家乡节点知道它属于谁，\
             因此保存了它的门岗与家乡节点合谋即可指认本人",
            COMPARE,
        ),
        (Part::RevocationHash, BinderKind::Card | BinderKind::DeviceAndCard) => words(
            "撤销值 h",
            "凭证撤销秘密的散列值，每张凭证都不同；同时也是身份证标签的盐",
            "哪些出示属于同一张凭证。出现在公布的撤销名单中，即表示该凭证已撤销。保存该码的人可以拿证件号码逐个试证明，每次的代价是一次Argon2id",
            "互相比对的门岗；任何保存该码的人；知道该秘密的家乡节点",
        ),
        (Part::RevocationHash, _) => words(
            "撤销值 h",
            "凭证撤销秘密的散列值，每张凭证都不同",
            "与K一样：哪些出示属于同一张凭证。出现在公布的撤销名单中，即表示该凭证已被家乡节点或持有人撤销",
            "互相比对的门岗；知道该秘密的家乡节点和持有人",
        ),
        (_, BinderKind::Device) => words(
            "绑定方式",
            "谁可以出示该凭证",
            "持有人用手机出示，多数人如此",
            READER,
        ),
        (_, BinderKind::DeviceAndCard) => words(
            "绑定方式",
            "谁可以出示该凭证",
            "此类门岗要求核对本人而不只是手机；指明持有人的是身份证，不是该码",
            "任何读取该码的人；读取身份证的人",
        ),
        (_, BinderKind::Card) => words(
            "绑定方式",
            "谁可以出示该凭证",
            "持有人用的是纸质凭证而不是手机；随附的身份证指明持有人和签发省份",
            "任何读取该码的人；读取身份证的人",
        ),
    }
}

const fn of_proof(part: Part) -> Words {
    let title = match part {
        Part::ProofA => "证明 A",
        Part::ProofB => "证明 B",
        _ => "证明 C",
    };
    match part {
        Part::ProofA => words(
            title,
            "证明的第一个点",
            "不透露记录、本人或省份：证明是零知识的，离开节点前又重新随机化。同一张凭证每次出示时这些字节相同，但不能当作身份：任何人都能把证明改写成另一种形式",
            NOBODY,
        ),
        Part::ProofB => words(title, "证明的第二个点", "与第一个点相同：无", NOBODY),
        _ => words(title, "证明的第三个点", "与第一个点相同：无", NOBODY),
    }
}

const fn of_showing(part: Part) -> Words {
    match part {
        Part::Slot => words(
            "半分钟",
            "持有人签名所对应的半分钟：Unix秒数除以30",
            "何时出示，门岗本来就知道；副本或照片会保留这个时间",
            READER,
        ),
        Part::ChallengeFlag => words(
            "挑战标志",
            "后面是否有门岗的挑战",
            "该门岗是否要求当场应答",
            READER,
        ),
        Part::Gate => words(
            "门岗",
            "提出挑战的门岗名称，由其运营者选定",
            "在哪里出示；副本或照片会保留这个地点",
            READER,
        ),
        Part::Nonce => words(
            "随机数",
            "门岗给这位持有人的新随机数",
            "这次出示应答的是那一次提问；门岗能找到自己的记录",
            "提问的门岗",
        ),
        Part::SignatureR => words(
            "签名 r",
            "持有人签名的前一半（ECDSA P-256，覆盖凭证、半分钟和挑战）",
            "K的持有人当时在场。它始终是证据：保存该码的人可以向第三方证明这张凭证何时在哪个门岗出示过——但不能证明是谁",
            KEEPER,
        ),
        _ => words(
            "签名 s",
            "签名的后一半，取较小的形式，因此只有一种写法",
            "与前一半相同",
            KEEPER,
        ),
    }
}
