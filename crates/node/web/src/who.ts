// Who states an event or reads a record, as people call them: the home's identifiers stand for offices and auditors.

import { institution, OFFICES } from "../../../pages/web/offices.ts";
import { w, type Words } from "../../../pages/web/words.ts";

const YOURSELF = w("您本人", "you yourself");
const AUDITOR = w("审计员", "Auditor");

/** `33-cdc-1`, with the name that the home may know it by behind it. */
const SOURCE = /^(\d{2})-([a-z-]+)-(\d+)(?: (.*))?$/;
/** The identity in a reader's certificate. */
const READER = /^spiffe:\/\/viridian\/[^/]+\/(\d{2})\/(?:source\/([a-z-]+)|auditor)\/(\d+)$/;

/** In both languages; what is not known stays as it is. */
export function who(text: string): Words {
  const source = SOURCE.exec(text);
  const reader = source ? null : READER.exec(text);
  const [, province = "", kind, number = "", name = ""] = source ?? reader ?? [];
  if (kind === "resident") return YOURSELF;
  const office = kind === undefined ? (reader ? AUDITOR : undefined) : OFFICES[kind];
  if (!office) return w(text, text);
  const known = institution(Number(province), office, number);
  return name === "" ? known : w(`${known.zh} (${name})`, `${known.en} (${name})`);
}
