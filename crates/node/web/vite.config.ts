import { defineConfig, mergeConfig } from "vite";

import { pageWith } from "../../pages/web/config.ts";
import { areaLists } from "./area_lists.ts";

// What may wait: the camera, and what reads its frames, for gates that show a code. What comes singly: names of places.
export default defineConfig(mergeConfig({ plugins: [areaLists()] }, pageWith(["reader", "scanner", "zxing_reader"], ["areas"])));
