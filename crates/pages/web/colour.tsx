// A colour, as pages that tell colours show it.

import { Colour } from "@viridian/wire/pass";

import { t } from "./looks.tsx";
import { w } from "./words.ts";

export const COLOUR_WORDS = {
  green: w("绿码", "Green"),
  yellow: w("黄码", "Yellow"),
  red: w("红码", "Red"),
};

const COLOURS = {
  [Colour.GREEN]: { words: COLOUR_WORDS.green, name: "green" },
  [Colour.YELLOW]: { words: COLOUR_WORDS.yellow, name: "yellow" },
  [Colour.RED]: { words: COLOUR_WORDS.red, name: "red" },
} as const;

/** A colour as shape, word and colour: whoever cannot tell colours reads the other two. No tick, which a guard would take for a pass. */
export function ColourMark({ colour, big = false }: { colour: Colour; big?: boolean }) {
  const known = COLOURS[colour as keyof typeof COLOURS];
  if (!known) return null;
  return (
    <span class={`colour ${known.name}${big ? " big" : ""}`} data-testid={big ? "colour" : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {known.name === "green" && <circle cx="12" cy="12" r="9" />}
        {known.name === "yellow" && <path d="M12 3 22 21H2z" />}
        {known.name === "red" && <path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z" />}
      </svg>
      {t(known.words)}
    </span>
  );
}
