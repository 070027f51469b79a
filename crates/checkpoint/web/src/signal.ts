// Sound and vibration: each outcome its own, to be told apart without looking.

import type { Outcome } from "./desk.ts";

/** Frequency (Hz), begin and length (s) of each tone. */
const TONES: Record<Outcome, [number, number, number][]> = {
  accept: [
    [660, 0, 0.12],
    [990, 0.13, 0.2],
  ],
  reject: [[180, 0, 0.6]],
  undecided: [
    [440, 0, 0.12],
    [440, 0.22, 0.12],
    [440, 0.44, 0.12],
  ],
};

const BUZZ: Record<Outcome, number[]> = { accept: [60], reject: [400], undecided: [90, 90, 90, 90, 90] };

let context: AudioContext | null = null;

export function signal(outcome: Outcome, sound: boolean): void {
  navigator.vibrate?.(BUZZ[outcome]);
  if (!sound) return;
  context ??= new AudioContext();
  const start = context.currentTime + 0.01;
  for (const [frequency, begin, length] of TONES[outcome]) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0.25, start + begin);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + begin + length);
    tone.connect(loudness).connect(context.destination);
    tone.start(start + begin);
    tone.stop(start + begin + length);
  }
}
