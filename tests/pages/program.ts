// Programs that serve a page: started as they were built last, read for where it is, and ended.

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** Where a program of this checkout lies. */
export function program(name: string): string {
  return join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", name);
}

/** A program that has said where its page is. */
export class Program {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  /** Starts it, and waits for its line `page http…`. */
  static async start(name: string, ...options: string[]): Promise<Program> {
    const child = spawn(program(name), options, { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise<string>((found, failed) => {
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const page = /^page (http:\S+)$/m.exec(said)?.[1];
        if (page) found(page);
      });
      child.on("exit", (code) => failed(new Error(`${name} ended with ${code}: ${said}`)));
      child.on("error", failed);
    });
    return new Program(url, child);
  }

  async stop(): Promise<void> {
    await ended(this.process, () => this.process.kill("SIGTERM"));
  }
}

/** Has a process end, and waits until it has. */
export async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null) return;
  const done = new Promise((done) => child.once("exit", done));
  end();
  await done;
}
