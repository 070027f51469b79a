// A console made up for tests of its page that takes every passkey, and what several of them do on it.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { expect, type Page } from "@playwright/test";

import type { Answers, Console } from "./console_answers.ts";
import { answersWith, id } from "./console_made_up.ts";
import { authenticator } from "./passkeys.ts";
import { clean } from "./wallet.ts";

/** What must stay text wherever it comes from. */
export const RIGHT = answersWith("<img src=x onerror=document.title='hit'>");

/** Nothing to find for axe-core or at the right edge, and nothing that ran. */
export async function noFault(page: Page): Promise<void> {
  await clean(page);
  expect(await page.title()).not.toContain("hit");
}

/** A picture for who looks at the page: `LOOK=directory`. */
export async function picture(page: Page, name: string): Promise<void> {
  const into = process.env.LOOK;
  if (!into) return;
  mkdirSync(into, { recursive: true });
  await page.screenshot({ path: join(into, `${name}.png`), fullPage: true });
}

export const CODE = "ABCDEFGHIJKLMNOPQRSTUVWX23";
const challenge = Buffer.from(id(9)).toString("base64url");
/** A console that takes every passkey. */
export const TRUSTING: Answers = {
  ...RIGHT,
  beginEnrol: () => ({
    optionsJson: JSON.stringify({
      rp: { name: "localhost", id: "localhost" },
      user: { id: challenge, name: "w", displayName: "w" },
      challenge,
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      excludeCredentials: [],
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    }),
  }),
  enrol: () => ({}),
  beginSignIn: () => ({
    optionsJson: JSON.stringify({ challenge, rpId: "localhost", allowCredentials: [], userVerification: "required" }),
  }),
  signIn: () => ({}),
  signOut: () => ({}),
};

/** Signs in at a made-up console by an invitation. */
export async function enrolled(page: Page, made: Console): Promise<void> {
  let isIn = false;
  const { getDesk, enrol } = made.answers;
  made.answers.getDesk = (request) => (isIn ? getDesk!(request) : "NOT_SIGNED_IN");
  made.answers.enrol = (request) => {
    isIn = true;
    return enrol!(request);
  };
  await authenticator(page);
  await page.goto(`${made.url}#invite=${CODE}`);
  await page.getByRole("button", { name: "生成通行密钥并登录" }).click();
  await expect(page.getByTestId("who")).toBeVisible();
}

/** Fills in a contact, but for the number. */
export async function fillContact(page: Page): Promise<void> {
  await page.getByRole("link", { name: "填报" }).click();
  await page.getByLabel("机构").selectOption("33-cdc-1");
  await page.getByLabel("事项").selectOption({ label: "接触" });
  await page.getByLabel("密接的密接").check();
  await page.getByLabel("最后一次接触").fill("2022-08-01T09:30");
  await page.getByLabel("依据").fill("流调记录\t118 ");
}
