// What a proxy's phone tells the phone of the person that it shall act for, as all pages read it.

export * from "../../../pages/web/mandate.ts";
