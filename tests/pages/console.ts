// An institution's console beside a federation, and its staff, each with a browser and a passkey of their own.

import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";

import { expect, type Browser, type BrowserContext, type Page } from "@playwright/test";

import { authenticator } from "./passkeys.ts";
import { Program, program } from "./program.ts";

const NAME = "viridian-console";

export class Institution {
  private constructor(
    private readonly config: string,
    private readonly running: Program,
  ) {}

  /** Runs the console of a configuration. */
  static async start(config: string): Promise<Institution> {
    execFileSync(program(NAME), ["new-key", join(dirname(config), "store.keys")], { stdio: ["ignore", "inherit", "inherit"] });
    // A list of staff has somebody on it.
    invite(config, "nobody", ["auditor"]);
    return new Institution(config, await Program.start(NAME, "run", "--config", config));
  }

  get url(): string {
    return this.running.url;
  }

  /** Somebody who enrols in a browser of their own, and is signed in. */
  async employ(browser: Browser, name: string, roles: string[], viewport = { width: 360, height: 720 }): Promise<Desk> {
    const { id, code } = invite(this.config, name, roles);
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    await authenticator(page);
    // The running console takes a new list within two seconds.
    await expect(async () => {
      await page.goto("about:blank");
      await page.goto(`${this.url}#invite=${code}`);
      const [make, who] = [page.getByRole("button", { name: "生成通行密钥并登录" }), page.getByTestId("who")];
      await expect(make.or(who)).toBeVisible();
      if (await make.isVisible()) await make.click();
      await expect(who.or(page.getByRole("alert"))).toBeVisible();
      await expect(who).toContainText(name, { timeout: 1_000 });
    }).toPass({ timeout: 60_000 });
    return { id, code, context, page };
  }

  /** Takes somebody out of the list. */
  dismiss(id: string): void {
    const file = join(dirname(this.config), "staff.toml");
    const [heading = "", ...persons] = readFileSync(file, "utf8").split("[[person]]");
    writeFileSync(file, [heading, ...persons.filter((person) => !person.includes(id))].join("[[person]]"));
  }

  async stop(): Promise<void> {
    await this.running.stop();
  }

  /** What the program says of the chain of acts, once it has stopped: its exit code. */
  check(): number {
    try {
      execFileSync(program(NAME), ["check", "--config", this.config], { stdio: "ignore" });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  }
}

export interface Desk {
  id: string;
  /** The invitation, used up. */
  code: string;
  context: BrowserContext;
  page: Page;
}

function invite(config: string, name: string, roles: string[]): { id: string; code: string } {
  const asked = roles.flatMap((role) => ["--role", role]);
  const said = execFileSync(program(NAME), ["invite", "--config", config, "--name", name, ...asked], { encoding: "utf8" });
  const of = (word: string) => new RegExp(`^${word}\\s+(\\S+)`, "m").exec(said)?.[1] ?? "";
  return { id: of("id"), code: of("code") };
}
