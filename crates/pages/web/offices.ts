// Kinds of institutions (`rules::SourceKind`), as people call them.

import { provinceName } from "./provinces.ts";
import { w, type Words } from "./words.ts";

/** As their identifiers name them, ascending by code. */
export const OFFICES: Record<string, Words> = {
  laboratory: w("检测机构", "Laboratory"),
  cdc: w("疾控中心", "CDC"),
  "border-post": w("口岸", "Border post"),
  telecom: w("电信运营商", "Telecom operator"),
  "community-office": w("社区", "Community office"),
  hospital: w("医院", "Hospital"),
  resident: w("居民", "Resident"),
  "appeals-office": w("申诉办公室", "Appeals office"),
};

const BY_CODE = Object.values(OFFICES);

/** The kind with a code, which begin at 1. */
export function officeWords(code: number): Words {
  return BY_CODE[code - 1] ?? w(`机构类别 ${code}`, `Kind ${code}`);
}

/** One institution of a kind, by its province and number. */
export function institution(provinceCode: number, kind: Words, number: number | string): Words {
  const place = provinceName(provinceCode) ?? w(String(provinceCode), String(provinceCode));
  return w(`${place.zh}${kind.zh} ${number}`, `${place.en} ${kind.en} ${number}`);
}
