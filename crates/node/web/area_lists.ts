// What the wallet knows of places by name, made of risk-list's table when the page is built: one list of all provinces, cities
// and counties, and one for each province with its streets. Each is a file that is fetched when it is wanted.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { decompress } from "fzstd";
import type { Plugin } from "vite";

const TABLE = new URL("../../risk-list/data/areas.zst", import.meta.url);
/** The table's first line, as `risk_list::table` has it. */
const HEADER = "viridian areas 1";

/** Lines `code name` by the name of their list; a street's code is the last three digits of it, after its county. */
function lists(): Map<string, string[]> {
  const [header, ...lines] = new TextDecoder().decode(decompress(readFileSync(TABLE))).split("\n");
  if (header !== HEADER) throw new Error(`the table of areas does not begin with "${HEADER}"`);
  const upper: string[] = [];
  const all = new Map([["all", upper]]);
  for (const line of lines) {
    const found = /^(\d{2}|\d{4}|\d{6}|\d{9}) ([^\t]+)/.exec(line);
    if (!found) continue;
    const [, code, name] = found as unknown as [string, string, string];
    const province = code.slice(0, 2);
    if (!all.has(province)) all.set(province, []);
    if (code.length < 9) upper.push(`${code} ${name}`);
    all.get(province)!.push(`${code.length < 9 ? code : code.slice(6)} ${name}`);
  }
  return all;
}

/** Writes the lists as `assets/areas-….txt`, and tells the page their names. Names hold digests of what is in them. */
export function areaLists(): Plugin {
  const names: Record<string, string> = {};
  const files = new Map<string, string>();
  for (const [list, lines] of lists()) {
    const source = lines.join("\n");
    const digest = createHash("sha256").update(source).digest("hex").slice(0, 8);
    names[list] = `assets/areas-${list}-${digest}.txt`;
    files.set(names[list], source);
  }
  return {
    name: "area-lists",
    config: () => ({ define: { AREA_LISTS: JSON.stringify(names) } }),
    buildStart() {
      for (const [fileName, source] of files) this.emitFile({ type: "asset", fileName, source });
    },
  };
}
