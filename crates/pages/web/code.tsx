// A code as a picture: black on white, in the dark too.

/** A code as it is drawn. */
export interface Drawing {
  /** Modules in a row. */
  width: number;
  /** Row by row, 1 for dark. */
  modules: Uint8Array;
}

/** Modules of white around a code. */
const QUIET = 4;

/** What `picture` of a page's WebAssembly says, as it is drawn. */
export function drawingOf(picture: Uint8Array): Drawing {
  return { width: picture[0] ?? 0, modules: picture.slice(1) };
}

export function Modules({ code, label, name }: { code: Drawing; label: string; name: string }) {
  const width = code.width + 2 * QUIET;
  return (
    <svg class="code" viewBox={`0 0 ${width} ${width}`} role="img" aria-label={label} data-testid={name}>
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
