// A checkpoint that serves its page, with the trust list of the verifier's vectors and its clock standing at their moment.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";

import { Program, root } from "./program.ts";

export interface Case {
  name: string;
  text: string;
  now_s: number;
  nonce: string | null;
  card: string | null;
  outcome: "accept" | "reject" | "undecided";
  code: string;
}

export interface Vectors {
  province: number;
  gate_id: string;
  root_keys: string[];
  root_threshold: number;
  slot_skew_half_min: number;
  profile: string;
  list_taken_at_s: number;
  bundle: string;
  batches: string[];
  cases: Case[];
}

export const vectors = JSON.parse(
  readFileSync(join(root, "crates/verifier/vectors/showings.json"), "utf8"),
) as Vectors;

export function vector(name: string): Case {
  const found = vectors.cases.find((one) => one.name === name);
  if (!found) throw new Error(`no vector ${name}`);
  return found;
}

export class Checkpoint {
  private constructor(
    private readonly program: Program,
    private readonly dir: string,
  ) {}

  /** `minutesLater` moves its clock on from the vectors' moment; `port` 0 is any; `more` are lines of its configuration. */
  static async start({ minutesLater = 0, specimens = false, list = true, port = 0, more = "" } = {}): Promise<Checkpoint> {
    const dir = mkdtempSync(join(tmpdir(), "gate-"));
    if (list) {
      mkdirSync(join(dir, "state/revocations"), { recursive: true });
      writeFileSync(join(dir, "state/trust-list.bin"), Buffer.from(vectors.bundle, "hex"));
      for (const hex of vectors.batches) {
        const batch = Buffer.from(hex, "hex");
        writeFileSync(join(dir, `state/revocations/${digest(batch)}.bin`), batch);
      }
    }
    writeFileSync(
      join(dir, "gate.toml"),
      `production = false
province = ${vectors.province}
gate_id = "${vectors.gate_id}"
state_dir = "state"
profile = "${vectors.profile}"
admit_specimens = ${specimens}
listen = "127.0.0.1:0"
page_listen = "127.0.0.1:${port}"
${more}
[trust]
root_keys = [${vectors.root_keys.map((key) => `"${key}"`).join(", ")}]
root_threshold = ${vectors.root_threshold}
refresh_every_s = 10
[clock]
start_minute = ${Math.floor(vectors.list_taken_at_s / 60) + minutesLater}
rate_min_per_s = 0
`,
    );
    return new Checkpoint(await Program.start("checkpoint", "--config", join(dir, "gate.toml"), "serve"), dir);
  }

  get url(): string {
    return this.program.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async stop(): Promise<void> {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The name under which a checkpoint keeps a batch. */
function digest(batch: Buffer): string {
  return createHash("sha256").update("viridian/revocation-batch/v1\0").update(batch).digest("hex");
}
