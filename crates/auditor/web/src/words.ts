// What people read, in Chinese and English.

import { w, type Words } from "../../../pages/web/words.ts";

export const WORDS = {
  title: w("公开信息", "Public page"),
  loading: w("正在打开…", "Opening …"),
  sections: w("章节", "Sections"),
  again: w("重新查看各节点", "Look at the nodes again"),
  looking: w("正在查看…", "Looking …"),
  noService: w(
    "提供本页的程序没有应答。以下内容可能已过时。",
    "The program that serves this page does not answer. What stands here may be out of date.",
  ),
  noServiceYet: w("提供本页的程序没有应答，尚无内容可显示。", "The program that serves this page does not answer; there is nothing to show yet."),
  retry: w("重试", "Try again"),
  simulated: w("演练:使用的不是真实时间。", "A rehearsal: the time used is not the world's."),
  updated: w("有新版本", "A new version is ready"),
  update: w("更新", "Update"),
  readOnly: w(
    "本页只读。这里的每一项都按根密钥核验过;不能核验的写明原因。",
    "This page is read-only. Everything here was verified under the root keys; what could not be verified says why.",
  ),
  detail: w("技术细节", "For engineers"),

  list: w("信任列表", "Trust list"),
  listNone: w("没有经过核验的信任列表。没有它，什么都不能核验。", "There is no verified trust list. Without one nothing can be verified."),
  listFresh: w("是新的", "is fresh"),
  listOld: w("已经旧了，应有更新的", "is old; there should be a newer one"),
  listEnded: w("过旧，不能再据以判断", "is too old to judge by"),
  issued: w("签发", "Issued"),
  age: w("已过", "Age"),
  verifiedAt: w("核验时间", "Verified"),
  lookedAt: w("上次查看各节点", "Nodes looked at"),
  notLooked: w("尚未查看", "not yet"),
  rootSequence: w("根文件编号", "Root document"),
  onlineSequence: w("在线文件编号", "Online document"),
  rootEnds: w("根文件有效至", "Root document ends"),
  newestEpoch: w("最新一期", "Newest epoch"),
  revocations: w("撤销条目(含填充)", "Revocations (fillings among them)"),
  rootKeys: w("所信任的根密钥", "Root keys that are believed"),
  rootThreshold: w("至少需要签名数", "How many must sign"),

  rules: w("规则", "Rules"),
  rulesText: w(
    "这些规则集由根文件列出。摘要是各行规则的摘要;文字来自提供本页者手中与摘要相符的文本。",
    "The root document names these rule sets. The digest is that of the rows; the words are those of a text at hand whose rows have the digest.",
  ),
  inForce: w("现行", "In force"),
  notYet: w("尚未生效", "Not yet in force"),
  over: w("已失效", "No longer in force"),
  version: w("版本", "Version"),
  scope: w("适用", "Of"),
  nation: w("全国", "the nation"),
  from: w("自", "From"),
  until: w("至", "Until"),
  noEnd: w("未定", "not set"),
  emergency: w("紧急(公告期缩短)", "An emergency (shorter notice)"),
  digest: w("摘要", "Digest"),
  shortId: w("凭证中的短名", "Short name in passes"),
  readText: w("阅读全文", "Read it in full"),
  noText: w("手中没有文本，只有摘要。", "The text is not at hand; its digest is."),
  authority: w("发布者", "Published by"),
  source: w("出处", "Source"),
  textDigest: w("文本摘要", "Digest of the text"),
  lookback: w("风险地区回溯小时数(低/中/高)", "Hours that a listing reaches back (low / medium / high)"),
  otherwise: w("其他情形", "Anything else"),
  rowFor: w("适用于", "For"),
  thenColour: w("之后", "then"),
  endsItself: w("自动失效", "ends by itself"),
  waysOut: w("解除条件(满足任一)", "Ways out (any is enough)"),
  noWayOut: w("须由来源结束", "only its source can end it"),

  circuits: w("电路", "Circuits"),
  circuitsText: w(
    "凭证是证明。谁都可以用这里的验证密钥检验证明;电路源码的摘要可用 auditor digest 复算。",
    "A pass is a proof. Anybody can check proofs with these verifying keys; `auditor digest` computes the digests again from the source.",
  ),
  forPasses: w("凭证", "Passes"),
  forOpenings: w("记录的公开", "Openings of records"),
  circuitId: w("标识", "Identity"),
  matrixDigest: w("电路摘要", "Digest of the circuit"),
  keyDigest: w("验证密钥摘要", "Digest of the verifying key"),
  provenance: w("密钥来历", "Where the key comes from"),
  testKey: w(
    "测试参数:种子是公开的，知道种子的人可以伪造。用它签发的每张凭证都是样张。",
    "Test parameters: their seed is known, and whoever knows it can forge. Every pass under it is a specimen.",
  ),
  productionKey: w(
    "根文件把它列为正式参数。本页不能核验参数由谁以何种仪式产生:没有公布的仪式记录之前，请勿以此为凭。",
    "The root document lists it as production parameters. This page cannot verify who made them and in which ceremony: without a published record of one, do not rely on it.",
  ),

  provinces: w("省份", "Provinces"),
  provincesText: w(
    "每个席位的节点及其日志。树头、登记表和检查点的签名都已核验。",
    "The node of each slot, and its log. The signatures of tree head, registry and checkpoint were verified.",
  ),
  slot: w("席位", "Slot"),
  unknownSlot: w("信任列表没有这个席位", "The trust list has no such slot"),
  headKeys: w("树头密钥", "Head keys"),
  fromStart: w("自始", "from the beginning"),
  asked: w("查询地址", "Asked at"),
  head: w("最新树头", "Newest tree head"),
  headNone: w("读到的条目中没有可核验的树头。", "There is no verified tree head among the entries read."),
  epoch: w("期次", "Epoch"),
  stateRoot: w("状态树根", "Root of the state tree"),
  registry: w("最新登记表", "Newest registry"),
  registryNone: w("读到的条目中没有可核验的登记表。", "There is no verified registry among the entries read."),
  asOf: w("截止", "As of"),
  cosigners: w("共签省份", "Cosigned by"),
  cosignersNeeded: w("至少需要省份数", "Provinces needed"),
  holds: w("包含树头", "Holds the heads of"),
  inListSame: w("与信任列表一致", "the same as in the trust list"),
  inListOther: w("与信任列表不一致!", "ANOTHER than in the trust list!"),
  inListNone: w("信任列表没有这一期", "of no epoch in the trust list"),
  log: w("日志检查点", "Log checkpoint"),
  logNone: w("从未核验过该日志。", "The log was never verified."),
  entries: w("条目", "Entries"),
  entriesRead: w("读过的条目", "Entries read"),
  logRoot: w("根", "Root"),
  witnesses: w("见证省份", "Witnessed by"),
  nobody: w("无", "nobody"),
  wrong: w("日志中不该有的", "What must not be in it"),
  listOfNode: w("其信任列表", "Its trust list"),
  lastRound: w("上次查看未能核验", "Not verified in the last round"),
  stillShown: w("以下是此前核验过的。", "What stands here was verified before."),

  counts: w("统计", "Counts"),
  countsText: w(
    "各省日志中公布的人数，四舍五入到十;少于10人不公布。来自已核验的日志，不来自节点的网页。",
    "People as each province's log publishes them, to the nearest ten; fewer than 10 are not published. From verified logs, not from a node's pages.",
  ),
  chooseSlot: w("省份", "Province"),
  countsNone: w("该日志中没有读到统计。", "No counts were read in this log."),
  chart: w("各日黄码与红码人数", "People yellow and red, by day"),
  day: w("日期", "Day"),
  residents: w("居民", "Residents"),
  byRule: w("按规则", "By rule"),
  under: w("依据", "Under"),

  check: w("核对凭证", "Check this pass"),
  checkText: w(
    "粘贴二维码的文字。它不会离开您的浏览器:解码和核验都在本页进行，什么也不发送，什么也不保存。",
    "Paste the text of a code. It does not leave your browser: it is taken apart and verified in this page; nothing is sent, nothing is kept.",
  ),
  pasted: w("二维码文字(以 VIR1: 开头)", "Text of the code (begins with VIR1:)"),
  profile: w("门岗规则", "As a gate that asks for"),
  place: w("出示地点", "Shown in"),
  specimens: w("把样张当作真的", "Take specimens for real"),
  doCheck: w("核对", "Check"),
  clear: w("清除", "Clear"),
  tooLong: w("文字过长，不是凭证。", "The text is too long for a pass."),
  notApart: w("不能解码", "It cannot be taken apart"),
  verdict: w("此刻的判定", "Verdict at this moment"),
  noVerdict: w("没有信任列表，不能判定;以下仅为解码。", "Without a trust list there is no verdict; what follows was only decoded."),
  verdictNote: w(
    "与门岗相同的判定程序。出示只在半分钟内有效，旧的二维码会被拒绝。",
    "By the same desk as at a gate. A showing is good for a half minute, so that an old code is refused.",
  ),
  bytes: w("字节", "bytes"),
  summary: w("各类字节数", "Bytes by kind"),
  shared: w("人人相同", "The same for everybody"),
  ofPass: w("此凭证独有", "Of this pass"),
  ofShowing: w("此次出示独有", "Of this showing"),
  allBytes: w("全部字节", "All bytes"),
  place16: w("位置", "Place"),
  field: w("内容", "Content"),
  value: w("值", "Value"),
  is: w("是什么", "Is"),
  reveals: w("透露什么", "Reveals"),
  to: w("透露给谁", "To"),
  notInIt: w("其中没有的", "Not in it"),
  specimen: w("这是样张。", "This is a specimen."),
  signatureFits: w("由其自己的密钥签名。", "Signed by its own key."),
  signatureBad: w("签名与其密钥不符!", "The signature DOES NOT FIT its key!"),
  signatureNone: w("没有签名:仅绑定身份证。", "Not signed: bound to a card alone."),
} satisfies Record<string, Words>;

/** Why something was not verified, by the number of `Fault`. */
export const FAULTS: Record<number, Words> = {
  1: w("没有配置它的地址。", "Nobody said where it is to be asked."),
  2: w("没有应答。", "It does not answer."),
  3: w("它说没有。", "It says that there is none."),
  4: w("应答过长，未读。", "The answer is too long, and was not read."),
  5: w("应答不合格式。", "The answer is not of its form."),
  6: w("没有应有的签名。", "It is not signed by those who have to sign it."),
  7: w("与此前核验过的矛盾。", "It contradicts what was verified before."),
  8: w("比此前核验过的旧，或已过期。", "It is older than what was verified before, or past its end."),
  9: w("没有信任列表，无法核验。", "Without a trust list it cannot be verified."),
};
export const FAULT_OTHER = w("未能核验。", "It was not verified.");

const FACTS: Words[] = [
  w("确诊病例", "confirmed case"),
  w("无症状感染者", "asymptomatic case"),
  w("疑似病例", "suspected case"),
  w("初筛阳性", "positive in screening"),
  w("密切接触者", "close contact"),
  w("密接的密接", "contact of a close contact"),
  w("入境", "entry from abroad"),
  w("接触阳性冷链物品一次", "touched positive cold-chain goods once"),
  w("经常接触冷链物品", "touches cold-chain goods as work"),
  w("发热门诊患者", "fever-clinic patient"),
  w("可能与阳性者有关", "possibly linked to a positive"),
  w("全国协查名单", "on the national assist list"),
  w("潜在风险", "potential risk"),
  w("混管阳性", "in a positive pooled tube"),
  w("申报有症状", "declared symptoms"),
];
const GRADES: Words[] = [w("未列入", "unlisted"), w("低风险", "low-risk"), w("中风险", "medium-risk"), w("高风险", "high-risk")];

/** What a key (`rules::Key`) stands for: facts are kind + 16·ended + 32·local, stays 64 + worst + 4·at_end + 16·present. */
export function keyWords(key: number): Words {
  if (key >= 64) {
    const [worst, end] = [GRADES[key & 3]!, GRADES[(key >> 2) & 3]!];
    const present = ((key >> 4) & 1) === 1;
    return present
      ? w(`在曾为${worst.zh}、现为${end.zh}的地区`, `is in an area that was ${worst.en} and is ${end.en}`)
      : w(`离开曾为${worst.zh}、离开时为${end.zh}的地区`, `left an area that was ${worst.en}, and ${end.en} at the end`);
  }
  const fact = FACTS[(key & 15) - 1] ?? w("?", "?");
  const ended = ((key >> 4) & 1) === 1;
  const local = ((key >> 5) & 1) === 1;
  return w(
    `${fact.zh}(${local ? "本省" : "外省"}${ended ? "，已结束" : ""})`,
    `${fact.en} (${local ? "this province" : "another province"}${ended ? ", ended" : ""})`,
  );
}
