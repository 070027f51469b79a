// What people read where a place is chosen and said back.

import { w, type Words } from "../../../pages/web/words.ts";

export const PLACE_WORDS = {
  where: w("地点", "Place"),
  search: w("查找地名或代码", "Find by name or code"),
  searchHint: w("可输入地名的一部分;街道、乡镇只在所选省份内查找。", "A part of a Chinese name is enough. Streets are looked for in the chosen province."),
  nothing: w("没有找到。街道、乡镇请先选择省份。", "Nothing found. For a street, choose its province first."),
  more: w("还有更多，请再输入几个字。", "There are more; type more of the name."),
  noCode: w("没有这个代码，请检查。", "There is no such code. Check it."),
  choose: w("请选择", "Choose"),
  province: w("省份", "Province"),
  city: w("城市", "City"),
  county: w("区县", "County"),
  street: w("街道或乡镇", "Street or township"),
  streetHint: w("新设的街道若未列出，请选择其原属的街道。", "If a new one is missing, choose the one that it was a part of."),
  none: w("还没有选择地点。", "No place is chosen yet."),
  goOn: w("请继续选择，直到街道或乡镇。", "Go on, down to a street or township."),
  bad: w("请选择地点，直到街道或乡镇。", "Choose a place, down to a street or township."),
  noList: w("没有网络，地名表未能取得。", "No network: the list of places could not be fetched."),
  again: w("再取一次", "Fetch it again"),
  hasSite: w("有场所编号时填写", "If the place has a site number"),
  site: w("场所编号", "Site number"),
  still: w("仍在", "still there"),
  leave: w("已离开此地", "I have left"),
  left: w("离开时间(北京时间)", "Left at (UTC+8)"),
  leftBad: w("离开不得早于到达。", "No departure before the arrival."),
  leaveSend: w("申报离开", "Declare that I left"),
  declared: w("已申报，回执已保存:", "Declared; the receipt is kept:"),
} satisfies Record<string, Words>;
