// A code as a picture: black on white, in the dark too.

import { t } from "../../../pages/web/looks.tsx";
import type { Drawing } from "./wallet.ts";
import { WORDS } from "./words.ts";

/** Modules of white around a code. */
const QUIET = 4;

export function CodePicture({ code, name = "code" }: { code: Drawing; name?: string }) {
  const width = code.width + 2 * QUIET;
  return (
    <svg class="code" viewBox={`0 0 ${width} ${width}`} role="img" aria-label={t(WORDS.code)} data-testid={name}>
      <rect width={width} height={width} fill="#fff" />
      <path d={drawn(code)} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}

/** Dark modules as one path, a run of a row at a time. */
function drawn({ width, modules }: Drawing): string {
  let path = "";
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      if (!modules[y * width + x]) continue;
      const from = x;
      while (x < width && modules[y * width + x]) x++;
      path += `M${from + QUIET} ${y + QUIET}h${x - from}v1h-${x - from}z`;
    }
  }
  return path;
}
