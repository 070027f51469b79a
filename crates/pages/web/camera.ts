// The camera: frames to the reader, one at a time, and what it reads to whoever asks.

/** Longest side of a frame that is read; a code of 77 modules needs no more. */
const FRAME_SIDE_PX = 960;
/** Pause between two frames, ms. */
const PAUSE_MS = 60;

/** A picture that is dark for so long, ms, is no camera's any more: a call has it. */
const MUTED_MS = 3_000;

/** Not allowed, none there, in use by another program, or one that ended while it was read. */
export type CameraFault = "denied" | "none" | "busy" | "ended";

/** Why no camera is to be had, by the names that browsers have for it. */
const FAULTS: Record<string, CameraFault> = { NotAllowedError: "denied", SecurityError: "denied", NotReadableError: "busy", AbortError: "busy" };

export class Camera {
  private readonly worker = new Worker(new URL("./reader.ts", import.meta.url), { type: "module" });
  private readonly canvas = document.createElement("canvas");
  private stream: MediaStream | null = null;
  private ends = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly onText: (text: string) => void,
    /** Called once the camera gives no picture any more, though nobody stopped it. */
    private readonly onEnd: () => void,
  ) {}

  /** Throws a `CameraFault`. */
  async start(): Promise<void> {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 960 } },
      });
    } catch (error) {
      throw (error instanceof DOMException && FAULTS[error.name]) || ("none" satisfies CameraFault);
    }
    if (this.ends) return this.stop();
    for (const track of this.stream.getVideoTracks()) this.watch(track);
    this.video.srcObject = this.stream;
    try {
      await this.video.play();
    } catch {
      if (this.ends) return; // stopped meanwhile
      throw "ended" satisfies CameraFault;
    }
    this.worker.onmessage = (event: MessageEvent<string | null>) => {
      if (this.ends) return;
      if (event.data) this.onText(event.data);
      setTimeout(() => this.read(), PAUSE_MS);
    };
    this.read();
  }

  /** Whether there is a light to be switched. */
  hasTorch(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    const can = track?.getCapabilities?.() as { torch?: boolean } | undefined;
    return can?.torch === true;
  }

  async torch(on: boolean): Promise<void> {
    const track = this.stream?.getVideoTracks()[0];
    await track?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
  }

  stop(): void {
    this.ends = true;
    this.worker.terminate();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
  }

  /** A call, a plug that was pulled: the track ends, or is mute and stays so. */
  private watch(track: MediaStreamTrack): void {
    const end = () => {
      if (!this.ends) this.onEnd();
    };
    track.onended = end;
    track.onmute = () => {
      // A page that nobody looks at gets no picture either.
      setTimeout(() => track.muted && document.visibilityState === "visible" && end(), MUTED_MS);
    };
  }

  private read(): void {
    if (this.ends) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, FRAME_SIDE_PX / Math.max(width, height, 1));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!context || this.canvas.width === 0 || this.canvas.height === 0) {
      setTimeout(() => this.read(), PAUSE_MS);
      return;
    }
    context.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    const frame = context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.worker.postMessage(frame, [frame.data.buffer]);
  }
}
