// Days and minutes, as all pages read them.

export * from "../../../pages/web/dates.ts";
