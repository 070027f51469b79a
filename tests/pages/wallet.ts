// A federation whose node of Zhejiang serves the wallet, by the world's clock, and what the tests do with the page.

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

import { expect, type Page } from "@playwright/test";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

const root = join(import.meta.dirname, "../..");
const programs = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug");

const { buffer } = readFileSync(join(root, "node_modules/zxing-wasm/dist/reader/zxing_reader.wasm"));
prepareZXingModule({ overrides: { wasmBinary: buffer as ArrayBuffer } });

export interface Resident {
  number: string;
  name: string;
}

interface Beginning {
  page: string;
  /** Configuration of a gate that asks for green. */
  gate: string;
  people: Resident[];
}

/** Three nodes and a gate, as `pages-world` starts and keeps them. */
export class Federation {
  private constructor(
    readonly url: string,
    readonly people: Resident[],
    private readonly gateConfig: string,
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async start(): Promise<Federation> {
    const child = spawn(join(programs, "pages-world"), [], { stdio: ["pipe", "pipe", "inherit"] });
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error("pages-world ended");
    const { page, gate, people } = JSON.parse(first.value) as Beginning;
    return new Federation(page, people, gate, child, lines);
  }

  /** Has it do something; see `pages-world --help`. */
  async do(command: string): Promise<Record<string, unknown>> {
    this.process.stdin?.write(`${command}\n`);
    const answer = await this.lines.next();
    if (answer.done) throw new Error(`pages-world ended at: ${command}`);
    return JSON.parse(answer.value) as Record<string, unknown>;
  }

  /** The person of a number from 1. */
  person(number: number): Resident {
    return this.people[number - 1]!;
  }

  /** A gate's page with the trust list of now. */
  async gate(): Promise<{ url: string; stop: () => Promise<void> }> {
    const child = spawn(join(programs, "checkpoint"), ["--config", this.gateConfig, "serve"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const url = await new Promise<string>((found, failed) => {
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const page = /^page (http:\S+)$/m.exec(said)?.[1];
        if (page) found(page);
      });
      child.on("exit", (code) => failed(new Error(`the checkpoint ended with ${code}: ${said}`)));
    });
    return { url, stop: () => ended(child, () => child.kill("SIGTERM")) };
  }

  async stop(): Promise<void> {
    await ended(this.process, () => this.process.stdin?.end());
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null) return;
  const done = new Promise((done) => child.once("exit", done));
  end();
  await done;
}

/** Opens the wallet and registers a person on this phone. */
export async function registered(page: Page, federation: Federation, number: number): Promise<void> {
  await page.goto(federation.url);
  await register(page, federation.person(number));
}

export async function register(page: Page, { number, name }: Resident): Promise<void> {
  await page.getByLabel("姓名").fill(name);
  await page.getByLabel("身份证号码").fill(number);
  await page.getByRole("button", { name: "注册" }).click();
  await expect(page.getByRole("button", { name: "出示健康码" })).toBeVisible();
}

/** Checks in: two taps. */
export async function checkedIn(page: Page): Promise<void> {
  await page.getByRole("button", { name: "打卡" }).click();
  await page.getByRole("button", { name: "无症状" }).click();
  await expect(page.getByText("已打卡")).toBeVisible();
}

/** Waits until the page opens without a network. */
export async function installed(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

/** What a camera reads from a code that the screen shows. */
export async function read(page: Page, name = "code"): Promise<string> {
  const code = page.getByTestId(name);
  await expect(code).toBeVisible({ timeout: 120_000 });
  const [found] = await readBarcodes(await code.screenshot(), { formats: ["QRCode"], tryHarder: true });
  if (!found?.isValid) throw new Error("no code on the screen");
  return found.text;
}
