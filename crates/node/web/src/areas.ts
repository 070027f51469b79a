// Places by code and name, and how one is found by what somebody types. A code has two digits for a province, four for a city,
// six for a county, nine for a street or township.

export interface Area {
  code: string;
  name: string;
}

/** Digits of a code at each level. */
export const LEVELS = [2, 4, 6, 9] as const;
/** What stands between a province and its counties where there is no city: no place that anybody would name. */
const BETWEEN = /^(市辖区|县|(省|自治区)直辖县级行政区划)$/;

/** The code above, empty above a province. */
function above(code: string): string {
  return code.slice(0, LEVELS.findLast((digits) => digits < code.length) ?? 0);
}

/** The code of as many whole levels as these digits have. */
function levelOf(digits: string): string {
  return digits.slice(0, LEVELS.findLast((level) => level <= digits.length) ?? 0);
}

/** Whether the letters of `part` stand in `text` in this order. */
function isSpread(part: string, text: string): boolean {
  let at = -1;
  return [...part].every((letter) => (at = text.indexOf(letter, at + 1)) >= 0);
}

/** What was read of the lists of names so far. */
export class Areas {
  private readonly names = new Map<string, string>();
  private readonly below = new Map<string, Area[]>();
  /** The provinces whose streets are known. */
  private readonly whole = new Set<string>();

  /** Reads a list: `all`, of every place down to the counties, or that of a province (its two digits) with its streets. */
  add(list: string, text: string): void {
    let county = "";
    for (const line of text.split("\n")) {
      const found = /^(\d{2,4}|\d{6}) (.+)$/.exec(line);
      if (!found) continue;
      const [, digits = "", name = ""] = found;
      if (digits.length === 6) county = digits;
      const code = digits.length === 3 ? county + digits : digits;
      if (this.names.has(code)) continue;
      this.names.set(code, name);
      const beside = this.below.get(above(code));
      if (beside) beside.push({ code, name });
      else this.below.set(above(code), [{ code, name }]);
    }
    if (list !== "all") this.whole.add(list);
  }

  /** The places within one, provinces within none. */
  within(code: string): readonly Area[] {
    return this.below.get(code) ?? [];
  }

  /** From the province on, without what is no place; empty for a code that is not known. */
  path(code: string): string[] {
    if (!this.names.has(code)) return [];
    const names = LEVELS.filter((digits) => digits <= code.length).map((digits) => this.names.get(code.slice(0, digits)) ?? "");
    return names.filter((name, at) => name !== "" && !BETWEEN.test(name) && name !== names[at - 1]);
  }

  /** The place itself, or the only county that it has. */
  settled(code: string): string {
    for (let at = code; ; ) {
      const [only, another] = at.length < 6 ? this.within(at) : [];
      if (!only || another) return at;
      at = only.code;
    }
  }

  /**
   * The longest known place that these digits lead to, and whether it is what they name: not if one of their levels is unknown.
   * A county with three zeros is that county.
   */
  byDigits(digits: string): { code: string; isKnown: boolean } {
    const named = levelOf(digits.replace(/^(\d{6})000$/, "$1"));
    let code = named;
    while (code !== "" && !this.names.has(code)) code = above(code);
    return { code, isKnown: code === named && digits.length <= 9 };
  }

  /** What is declared for a place: a street, or a county that has none; `null` while there is a street to be chosen. */
  declared(code: string): number | null {
    if (!this.names.has(code) || code.length < 6) return null;
    if (code.length === 9) return Number(code);
    const hasNone = this.whole.has(code.slice(0, 2)) && this.within(code).length === 0;
    return hasNone ? Number(`${code}000`) : null;
  }

  /** What an area that was declared is called, from the province on; `null` if no name is at hand. */
  called(area: number): string | null {
    const nine = String(area).padStart(9, "0");
    const path = this.path(nine.replace(/000$/, ""));
    return path.length === 0 ? null : path.join("");
  }

  /**
   * Places by a part of their name, also after names of what they lie in ("杭州西湖"): the nearest to what was typed first, and of
   * those the ones in `province`. Streets are those of `province` alone.
   */
  search(typed: string, province: string): Area[] {
    const wanted = typed.replace(/\s/g, "");
    if (wanted === "") return [];
    const ranked: { area: Area; order: number[] }[] = [];
    for (const [code, name] of this.names) {
      if (code.length === 9 && !code.startsWith(province)) continue;
      if (BETWEEN.test(name) || name === this.names.get(above(code))) continue;
      const rank = this.nearness(wanted, code, name);
      if (rank === null) continue;
      ranked.push({ area: { code, name }, order: [rank, code.startsWith(province) ? 0 : 1, code.length, Number(code)] });
    }
    const by = (a: number[], b: number[]) => a.map((value, at) => value - b[at]!).find((difference) => difference !== 0) ?? 0;
    return ranked.sort((a, b) => by(a.order, b.order)).map(({ area }) => area);
  }

  /** 0 where the name begins with what was typed, 1 where it holds it, 2 where it holds its end and what lies above the rest. */
  private nearness(wanted: string, code: string, name: string): number | null {
    if (name.startsWith(wanted)) return 0;
    if (name.includes(wanted)) return 1;
    if (!name.includes(wanted.at(-1)!)) return null;
    const over = this.path(above(code)).join("");
    for (let at = 1; at < wanted.length; at++) {
      if (name.includes(wanted.slice(at)) && isSpread(wanted.slice(0, at), over)) return 2;
    }
    return null;
  }
}
