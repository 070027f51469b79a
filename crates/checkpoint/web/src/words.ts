// What people read, in Chinese and English.

export type Language = "zh" | "en";
export interface Words {
  zh: string;
  en: string;
}

const w = (zh: string, en: string): Words => ({ zh, en });

export const WORDS = {
  title: w("核验", "Gate"),
  scan: w("打开摄像头", "Start camera"),
  stop: w("关闭摄像头", "Stop camera"),
  torch: w("手电筒", "Torch"),
  aim: w("将二维码置于框内", "Hold the code inside the frame"),
  text: w("扫码枪或粘贴", "Scanner or paste"),
  check: w("核验", "Check"),
  next: w("下一位", "Next"),
  say: w("告知对方", "Tell the person"),
  todo: w("处置", "What to do"),
  reason: w("原因", "Reason"),
  proved: w("已证明", "Proved"),
  green: w("绿码", "Green"),
  notRed: w("非红码", "Not red"),
  under: w("依据规则", "Under rules"),
  asOf: w("状态时间", "As of"),
  minutesAgo: w("分钟前", "min ago"),
  negative: w("小时内核酸阴性", "h: negative test within"),
  specimen: w("样本，仅供演示", "SPECIMEN – for demonstrations only"),
  cardOnly: w("仅凭证件，绑定较弱:请核对照片", "Bound to the card alone – weak: compare the photograph"),
  list: w("信任列表", "Trust list"),
  listNone: w("尚无信任列表", "No trust list yet"),
  listOld: w("信任列表已旧，请联网", "The trust list is old: connect to the network"),
  minutes: w("分钟", "min"),
  hours: w("小时", "h"),
  offline: w("离线", "Off line"),
  online: w("在线", "On line"),
  profile: w("准入规则", "Acceptance rule"),
  profileGone: w(
    "所选准入规则已不在信任列表中。请主管在设置中重新选择。",
    "The acceptance rule that was chosen is not in the trust list any more. A supervisor has to choose again in the settings.",
  ),
  profileChoose: w("请选择", "Choose"),
  notDecided: w("核验程序出错，请刷新本页;仍出现则人工核验。", "The verifier failed. Reload this page; if it happens again, check by hand."),
  card: w("证件号码(如需)", "Identity card number (if asked)"),
  cardBad: w("证件号码应为18位", "An identity number has 18 characters"),
  counts: w("本小时", "This hour"),
  countsAll: w("各小时计数", "Counts by hour"),
  hour: w("时段", "Hour"),
  pass: w("通行", "PASS"),
  no: w("不通过", "NO"),
  cannot: w("无法核验", "CANNOT CHECK"),
  settings: w("设置", "Settings"),
  close: w("关闭", "Close"),
  large: w("大字", "Large type"),
  sound: w("声音", "Sound"),
  noCamera: w("没有可用的摄像头。请用扫码枪，或粘贴文字。", "No camera to be had. Use a scanner, or paste the text."),
  cameraDenied: w(
    "浏览器未允许使用摄像头。请在地址栏的权限中允许，或用扫码枪、粘贴文字。",
    "The browser does not allow the camera. Allow it in the address bar's permissions, or use a scanner, or paste.",
  ),
  otherTab: w("本页已在另一个窗口打开。请关闭其中一个。", "This page is open in another window. Close one of them."),
  otherTabRetry: w("在此继续", "Go on here"),
  noSetting: w("无法取得设置，请连接核验端后重试。", "The gate's setting could not be had. Connect to the checkpoint and try again."),
  clockWrong: w("本机时间与核验端相差", "This device's clock differs from the checkpoint's by"),
  seconds: w("秒", "s"),
  notKept: w(
    "无法保存到本机存储，不能放行:已用凭证会被遗忘。请清理存储后刷新。",
    "This device's storage refuses to keep what was seen, so nobody can be let pass: a code could be used twice. Free some storage and reload.",
  ),
  updated: w("有新版本", "A new version is ready"),
  update: w("更新", "Update"),
  retry: w("重试", "Try again"),
  listRefused: w("核验端给出的信任列表未被采用", "The checkpoint's trust list was not taken"),
  loading: w("正在打开…", "Opening …"),
} satisfies Record<string, Words>;
