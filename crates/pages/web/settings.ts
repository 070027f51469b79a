// Small choices that outlive a visit. A browser that refuses to keep them, or throws them away, costs nothing but the choice.

export function setting(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keepSetting(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is so until the page is closed.
  }
}
