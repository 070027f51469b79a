// What people read about gates that show a code.

import { w, type Words } from "../../../pages/web/words.ts";

export const GATE_WORDS = {
  shows: w("本门岗显示随机码", "This gate shows a code"),
  text: w("扫描门岗屏幕上的随机码，本机的二维码即只对该门岗有效。", "Read the code on the gate's screen: yours is then good at that gate only."),
  typed: w("或粘贴门岗显示的文字", "Or paste the text that the gate shows"),
  use: w("使用", "Use it"),
  bad: w("这不是门岗的随机码。", "That is no gate's code."),
  cancel: w("取消", "Cancel"),
  answers: w("此码只给门岗:", "This code is for one gate only:"),
  once: w("门岗每次核验后，或一分钟后，会换新的随机码。", "After each check, and each minute, the gate shows another."),
  another: w("重新扫描随机码", "Read it again"),
  putAway: w("收起", "Put away"),
} satisfies Record<string, Words>;
