// A federation whose node of Zhejiang serves the wallet, by the world's clock, and what the tests do with the page.

import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

import AxeBuilder from "@axe-core/playwright";
import { expect, type Browser, type BrowserContext, type Page } from "@playwright/test";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

import { ended, Program, program, root } from "./program.ts";

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
  /** Configuration of a console of Zhejiang's institutions. */
  console: string;
  people: Resident[];
}

/** Three nodes and a gate, as `pages-world` starts and keeps them. */
export class Federation {
  private constructor(
    readonly url: string,
    readonly people: Resident[],
    private readonly gateConfig: string,
    readonly consoleConfig: string,
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async start(): Promise<Federation> {
    const child = spawn(program("pages-world"), [], { stdio: ["pipe", "pipe", "inherit"] });
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error("pages-world ended");
    const { page, gate, console, people } = JSON.parse(first.value) as Beginning;
    return new Federation(page, people, gate, console, child, lines);
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
  async gate(): Promise<Program> {
    return Program.start("checkpoint", "--config", this.gateConfig, "serve");
  }

  async stop(): Promise<void> {
    await ended(this.process, () => this.process.stdin?.end());
  }
}

/** A federation, and the phones of residents who were registered before its first epoch: whoever needs a pass is one of these. */
export class Phones {
  private constructor(
    readonly federation: Federation,
    private readonly contexts: Map<number, BrowserContext>,
  ) {}

  static async start(browser: Browser, numbers: number[]): Promise<Phones> {
    const phones = new Phones(await Federation.start(), new Map());
    for (const number of numbers) {
      const phone = await browser.newContext({ viewport: { width: 360, height: 720 } });
      phones.contexts.set(number, phone);
      const page = await phone.newPage();
      await registered(page, phones.federation, number);
      await page.close();
    }
    await phones.federation.do("commit");
    return phones;
  }

  /** A window that is still empty, on the phone of a resident. */
  newPage(number: number): Promise<Page> {
    return this.contexts.get(number)!.newPage();
  }

  /** The wallet on the phone of a resident, on the first screen. */
  async open(number: number): Promise<Page> {
    const page = await this.newPage(number);
    await page.goto(this.federation.url);
    await expect(page.getByTestId("state")).toContainText(/在线|Online/);
    return page;
  }

  async stop(): Promise<void> {
    for (const phone of this.contexts.values()) await phone.close();
    await this.federation.stop();
  }
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
  // The home checks who it is; under load that takes a while.
  await expect(page.getByRole("button", { name: "出示健康码" })).toBeVisible({ timeout: 30_000 });
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

/** What a camera reads from a code that the screen shows. One that gives way to the next one meanwhile is looked at again. */
export async function read(page: Page, name = "code"): Promise<string> {
  let text = "";
  await expect(async () => {
    const picture = await page.getByTestId(name).screenshot({ timeout: 5_000 });
    const [found] = await readBarcodes(picture, { formats: ["QRCode"], tryHarder: true });
    expect(found?.isValid, "a code on the screen").toBe(true);
    text = found!.text;
  }).toPass({ timeout: 120_000 });
  return text;
}

/** No serious fault that axe-core finds, and nothing that stands out to the right at 360 px. */
export async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((fault) => ["serious", "critical"].includes(fault.impact ?? ""));
  expect(serious.map((fault) => `${fault.id}: ${fault.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(scroll).toBeLessThanOrEqual(width!);
}

/** A call of the residents' service, by the end of its path. */
export const callOf = (name: string) => `**/*ResidentService/${name}`;

/** An answer of the home that refuses a call, as it travels: a status with a reason in its details. */
export function refusal(reason: string, code: number): { status: number; headers: Record<string, string>; body: Buffer } {
  const field = (number: number, bytes: Buffer) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const info = Buffer.concat([field(1, Buffer.from(reason)), field(2, Buffer.from("viridian"))]);
  const any = Buffer.concat([field(1, Buffer.from("type.googleapis.com/google.rpc.ErrorInfo")), field(2, info)]);
  const status = Buffer.concat([Buffer.from([8, code]), field(3, any)]);
  const trailers = Buffer.from(
    `grpc-status:${code}\r\ngrpc-message:refused\r\ngrpc-status-details-bin:${status.toString("base64")}\r\n`,
  );
  const head = Buffer.from([0x80, 0, 0, 0, 0]);
  head.writeUInt32BE(trailers.length, 1);
  return {
    status: 200,
    headers: { "content-type": "application/grpc-web+proto" },
    body: Buffer.concat([head, trailers]),
  };
}

/** First bytes of an answer that brings passes: a frame's head, then `MakeCodeResponse.state` with `READY`. */
const isReady = (body: Buffer) => body[0] === 0 && body[5] === 0x08 && body[6] === 2;

/** Holds the next answer that brings passes back, from when the home has given it until it is released. */
export async function holdPasses(page: Page): Promise<{ given: Promise<void>; release: () => void }> {
  let release!: () => void;
  let give!: () => void;
  const released = new Promise<void>((done) => (release = done));
  const given = new Promise<void>((done) => (give = done));
  let isFirst = true;
  await page.route(callOf("MakeCode"), async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    if (isFirst && isReady(body)) {
      isFirst = false;
      give();
      await released;
    }
    await route.fulfill({ response, body });
  });
  return { given, release };
}
