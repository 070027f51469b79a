// What people read is there in Chinese and in English.

export type Language = "zh" | "en";
export interface Words {
  zh: string;
  en: string;
}

export const w = (zh: string, en: string): Words => ({ zh, en });
