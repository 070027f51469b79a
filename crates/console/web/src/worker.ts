// The service worker of this page.

import "../../../pages/web/worker.ts";
