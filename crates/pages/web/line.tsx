// A line of a list of terms.

import type { ComponentChildren } from "preact";

import { t } from "./looks.tsx";
import type { Words } from "./words.ts";

export function Line({ name, children }: { name: Words; children: ComponentChildren }) {
  return (
    <div class="line">
      <dt>{t(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}
