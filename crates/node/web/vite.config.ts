import { defineConfig } from "vite";

import { pageWith } from "../../pages/web/config.ts";

// The camera, and what reads its frames: for gates that show a code.
export default defineConfig(pageWith(["reader", "scanner", "zxing_reader"]));
