// Passkeys, as WebAuthn Level 3 writes them in JSON. By hand, since not every browser in use converts it by itself.

import { Fault } from "../../../pages/web/fault.ts";

interface Named {
  id: string;
  type: "public-key";
  transports?: AuthenticatorTransport[];
}

type Creation = Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials"> & {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: Named[];
};

type Asking = Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> & {
  challenge: string;
  allowCredentials?: Named[];
};

/** What was made or signed: its name, and the message for the console. */
export interface Answer {
  id: string;
  json: string;
}

/** Makes a passkey on this device. */
export async function make(optionsJson: string): Promise<Answer> {
  const { challenge, user, excludeCredentials, ...rest } = JSON.parse(optionsJson) as Creation;
  const publicKey = {
    ...rest,
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: (excludeCredentials ?? []).map(named),
  };
  return answered(await asked(() => navigator.credentials.create({ publicKey })));
}

/** Has a passkey of this device sign. */
export async function use(optionsJson: string): Promise<Answer> {
  const { challenge, allowCredentials, ...rest } = JSON.parse(optionsJson) as Asking;
  const publicKey = { ...rest, challenge: bytes(challenge), allowCredentials: (allowCredentials ?? []).map(named) };
  return answered(await asked(() => navigator.credentials.get({ publicKey })));
}

/** What the browser says, as a fault with words of its own. */
async function asked(work: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!("PublicKeyCredential" in globalThis)) throw new Fault("PASSKEY_UNSUPPORTED");
  try {
    const made = await work();
    if (made instanceof PublicKeyCredential) return made;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new Fault(FAULTS[error.name] ?? "PASSKEY_CANCELLED", null, { cause: error });
  }
  throw new Fault("PASSKEY_CANCELLED");
}

const FAULTS: Record<string, string> = {
  InvalidStateError: "PASSKEY_KNOWN",
  SecurityError: "PASSKEY_ADDRESS",
  NotSupportedError: "PASSKEY_UNSUPPORTED",
};

function answered(made: PublicKeyCredential): Answer {
  const json: unknown = "toJSON" in made ? made.toJSON() : written(made);
  return { id: made.id, json: JSON.stringify(json) };
}

/** `RegistrationResponseJSON` or `AuthenticationResponseJSON`. */
function written(made: PublicKeyCredential): object {
  const { response } = made;
  const shared = { clientDataJSON: text(response.clientDataJSON) };
  const said =
    response instanceof AuthenticatorAttestationResponse
      ? {
          ...shared,
          attestationObject: text(response.attestationObject),
          authenticatorData: text(response.getAuthenticatorData()),
          transports: response.getTransports(),
          publicKey: text(response.getPublicKey() ?? new ArrayBuffer(0)),
          publicKeyAlgorithm: response.getPublicKeyAlgorithm(),
        }
      : { ...shared, ...signed(response as AuthenticatorAssertionResponse) };
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment ?? undefined,
    clientExtensionResults: made.getClientExtensionResults(),
    response: said,
  };
}

function signed(response: AuthenticatorAssertionResponse): object {
  return {
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle ? text(response.userHandle) : undefined,
  };
}

function named({ id, ...rest }: Named): PublicKeyCredentialDescriptor {
  return { ...rest, id: bytes(id) };
}

/** Base64url without padding, as everything binary is written there. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(bytes: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
