// An institution's console beside a federation, and its staff, each with a browser and a passkey of their own.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { dirname, join } from "node:path";
import { readFileSync, writeFileSync } from "node:fs";

import { expect, type Browser, type BrowserContext, type Page } from "@playwright/test";

import { authenticator } from "./passkeys.ts";

const root = join(import.meta.dirname, "../..");
const program = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/viridian-console");

export class Institution {
  private constructor(
    readonly url: string,
    private readonly config: string,
    private readonly process: ChildProcess,
  ) {}

  /** Runs the console of a configuration, with nobody on its list of staff yet. */
  static async start(config: string): Promise<Institution> {
    const dir = dirname(config);
    execFileSync(program, ["new-key", join(dir, "store.keys")], { stdio: ["ignore", "inherit", "inherit"] });
    invite(config, "nobody", ["auditor"]);
    const child = spawn(program, ["run", "--config", config], { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise<string>((found, failed) => {
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const page = /^page (http:\S+)$/m.exec(said)?.[1];
        if (page) found(page);
      });
      child.on("exit", (code) => failed(new Error(`the console ended with ${code}: ${said}`)));
      child.on("error", failed);
    });
    return new Institution(url, config, child);
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
      await page.getByRole("button", { name: "生成通行密钥并登录" }).click();
      await expect(page.getByTestId("who")).toContainText(name, { timeout: 5_000 });
    }).toPass({ timeout: 30_000 });
    return { id, context, page };
  }

  /** Takes somebody out of the list. */
  dismiss(id: string): void {
    const file = join(dirname(this.config), "staff.toml");
    const [heading = "", ...persons] = readFileSync(file, "utf8").split("[[person]]");
    writeFileSync(file, [heading, ...persons.filter((person) => !person.includes(id))].join("[[person]]"));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
  }

  /** What the program says of the chain of acts, once it has stopped: its exit code. */
  check(): number {
    try {
      execFileSync(program, ["check", "--config", this.config], { stdio: "ignore" });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  }
}

export interface Desk {
  id: string;
  context: BrowserContext;
  page: Page;
}

function invite(config: string, name: string, roles: string[]): { id: string; code: string } {
  const asked = roles.flatMap((role) => ["--role", role]);
  const said = execFileSync(program, ["invite", "--config", config, "--name", name, ...asked], { encoding: "utf8" });
  const of = (word: string) => new RegExp(`^${word}\\s+(\\S+)`, "m").exec(said)?.[1] ?? "";
  return { id: of("id"), code: of("code") };
}
