// The wallet's codes, as pictures.

import { Modules, type Drawing } from "../../../pages/web/code.tsx";
import { t } from "../../../pages/web/looks.tsx";
import { WORDS } from "./words.ts";

export function CodePicture({ code, name = "code" }: { code: Drawing; name?: string }) {
  return <Modules code={code} label={t(WORDS.code)} name={name} />;
}
