import { defineConfig } from "vite";

import { page } from "../../pages/web/config.ts";

export default defineConfig(page);
