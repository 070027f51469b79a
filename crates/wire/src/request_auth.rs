//! Proof of possession of a device key, for one call: its canonical layout, signing and checking.

use std::fmt;

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use prost::Message;
use rules::{Minute, ProvinceCode};
use sha2::{Digest as _, Sha256};

use crate::resident::v1 as proto;
use crate::{
    KEY_BYTES, MAX_AUTH_BYTES, MAX_BODY_BYTES, Method, SIGNATURE_BYTES, WireError, bytes_exact,
    bytes_within, required,
};

/// Stands before the canonical bytes in what is signed, so that no other signature fits here.
const DOMAIN: &[u8] = b"viridian/request-auth/v1\0";
/// First byte of the layout.
const VERSION: u8 = 1;

/// Name of a device key: SHA-256 of the compressed point.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKeyId(pub [u8; 32]);

/// Names a device of a person, so only its beginning is ever printed.
impl fmt::Debug for DeviceKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeyId({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// 128 random bits that make a call unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

/// A device's public key: a point of P-256, checked to be on the curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceKey(VerifyingKey);

impl DeviceKey {
    /// Reads a compressed SEC1 point.
    ///
    /// # Errors
    /// [`WireError::WrongLength`] unless 33 bytes; [`WireError::Malformed`] if they are no compressed point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let bytes: [u8; KEY_BYTES] = bytes_exact("device_key", bytes)?;
        let malformed = WireError::Malformed {
            field: "device_key",
        };
        let key = VerifyingKey::from_sec1_bytes(&bytes).map(Self);
        let key = key.map_err(|_| malformed)?;
        // The compact form has 33 bytes as well; one key has one form.
        if key.to_bytes() == bytes {
            Ok(key)
        } else {
            Err(malformed)
        }
    }

    /// The public part of a device's key.
    pub fn of(key: &SigningKey) -> Self {
        Self(*key.verifying_key())
    }

    /// The compressed SEC1 point.
    pub fn to_bytes(&self) -> [u8; KEY_BYTES] {
        let point = self.0.to_sec1_point(true);
        point
            .as_bytes()
            .try_into()
            .expect("a compressed P-256 point has 33 bytes")
    }

    /// Its name.
    pub fn id(&self) -> DeviceKeyId {
        DeviceKeyId(Sha256::digest(self.to_bytes()).into())
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({:?})", self.id())
    }
}

/// What a device signs for one call.
///
/// Layout, version 1: version (1 byte) · length of the path (1) · path · home (1) · device key id (32) ·
/// minute (4, big-endian) · nonce (16) · SHA-256 of the body (32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestAuth {
    /// The call.
    pub method: Method,
    /// The home that it is meant for.
    pub home: ProvinceCode,
    /// The key that signs.
    pub device_key_id: DeviceKeyId,
    /// When, by the device's clock or by what the home last told.
    pub at: Minute,
    /// Makes the call unique.
    pub nonce: Nonce,
    /// SHA-256 of the serialized body, as sent.
    pub body_sha256: [u8; 32],
}

impl RequestAuth {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let path = self.method.path().as_bytes();
        let path_len = u8::try_from(path.len()).expect("paths of calls are short");
        let mut bytes = Vec::with_capacity(MAX_AUTH_BYTES);
        bytes.extend_from_slice(&[VERSION, path_len]);
        bytes.extend_from_slice(path);
        bytes.push(self.home.get());
        bytes.extend_from_slice(&self.device_key_id.0);
        bytes.extend_from_slice(&self.at.get().to_be_bytes());
        bytes.extend_from_slice(&self.nonce.0);
        bytes.extend_from_slice(&self.body_sha256);
        bytes
    }

    /// Reads the canonical bytes; nothing may be left over.
    ///
    /// # Errors
    /// [`WireError`], naming the part that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut rest = Reader(bytes_within("auth", bytes, MAX_AUTH_BYTES)?);
        let [version, path_len] = rest.array()?;
        if version != VERSION {
            return Err(WireError::UnknownVersion {
                field: "auth",
                got: version,
            });
        }
        let path =
            std::str::from_utf8(rest.slice(usize::from(path_len))?).map_err(|_| MALFORMED)?;
        let method = Method::from_path(path).ok_or(MALFORMED)?;
        let [home] = rest.array()?;
        let auth = Self {
            method,
            home: ProvinceCode::new(home).map_err(|_| MALFORMED)?,
            device_key_id: DeviceKeyId(rest.array()?),
            at: Minute::new(u32::from_be_bytes(rest.array()?)).map_err(|_| MALFORMED)?,
            nonce: Nonce(rest.array()?),
            body_sha256: rest.array()?,
        };
        if rest.0.is_empty() {
            Ok(auth)
        } else {
            Err(MALFORMED)
        }
    }

    /// What is signed: the domain string and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [DOMAIN, &self.to_bytes()].concat()
    }
}

const MALFORMED: WireError = WireError::Malformed { field: "auth" };

/// The bytes of a layout that are not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn slice(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(MALFORMED)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.slice(N)?.try_into().map_err(|_| MALFORMED)
    }
}

/// A request that carries a serialized body and a device's signature over it.
pub trait SignedCall: Sized {
    /// What is in the body.
    type Body: Message + Default;
    /// The call.
    const METHOD: Method;
    /// The body as sent.
    fn body(&self) -> &[u8];
    /// The authorisation as sent.
    fn auth(&self) -> Option<&proto::RequestAuth>;
    /// Puts both together.
    fn assemble(body: Vec<u8>, auth: proto::RequestAuth) -> Self;
}

/// Implements [`SignedCall`] for requests of the resident service.
macro_rules! signed_calls {
    ($($method:ident: $request:ident, $body:ident;)*) => {$(
        impl SignedCall for proto::$request {
            type Body = proto::$body;
            const METHOD: Method = Method::$method;

            fn body(&self) -> &[u8] {
                &self.body
            }

            fn auth(&self) -> Option<&proto::RequestAuth> {
                self.auth.as_ref()
            }

            fn assemble(body: Vec<u8>, auth: proto::RequestAuth) -> Self {
                Self { body, auth: Some(auth) }
            }
        }
    )*};
}

signed_calls! {
    Register: RegisterRequest, Register;
    DeclareHealth: DeclareHealthRequest, DeclareHealth;
    DeclareTrip: DeclareTripRequest, DeclareTrip;
    Query: QueryRequest, Query;
    RequestUse: RequestUseRequest, RequestUse;
    MakeCode: MakeCodeRequest, MakeCode;
    Correct: CorrectRequest, Correct;
    RevokePasses: RevokePassesRequest, RevokePasses;
    Leave: LeaveRequest, Leave;
    SetProxy: SetProxyRequest, SetProxy;
}

/// Makes a signed call, as a device does. The signature is deterministic (RFC 6979).
pub fn sign_call<C: SignedCall>(
    body: &C::Body,
    key: &SigningKey,
    home: ProvinceCode,
    at: Minute,
    nonce: Nonce,
) -> C {
    let body = body.encode_to_vec();
    let auth = RequestAuth {
        method: C::METHOD,
        home,
        device_key_id: DeviceKey::of(key).id(),
        at,
        nonce,
        body_sha256: Sha256::digest(&body).into(),
    };
    let signature: Signature = key.sign(&auth.signing_bytes());
    let signature = signature.normalize_s();
    C::assemble(
        body,
        proto::RequestAuth {
            auth: auth.to_bytes(),
            signature: signature.to_bytes().to_vec(),
        },
    )
}

/// A call whose parts fit each other, but whose signature is not checked yet: it says which key to look up.
pub struct UnverifiedCall<'a, C: SignedCall> {
    auth: RequestAuth,
    signature: Signature,
    request: &'a C,
}

/// A call made by the holder of the key that was looked up, for this home and about now.
pub struct VerifiedCall<B> {
    /// What was signed; `device_key_id` and `nonce` tell replays.
    pub auth: RequestAuth,
    /// The body.
    pub body: B,
}

impl<'a, C: SignedCall> UnverifiedCall<'a, C> {
    /// Checks sizes and form, and that method and body are the ones signed for.
    ///
    /// # Errors
    /// [`WireError`], naming the part that is wrong.
    pub fn parse(request: &'a C) -> Result<Self, WireError> {
        let body = request.body();
        if body.len() > MAX_BODY_BYTES {
            return Err(WireError::TooLong {
                field: "body",
                limit: MAX_BODY_BYTES,
                got: body.len(),
            });
        }
        let outer = required("auth", request.auth())?;
        let auth = RequestAuth::from_bytes(&outer.auth)?;
        if auth.method != C::METHOD {
            return Err(WireError::OtherMethod {
                expected: C::METHOD,
            });
        }
        if auth.body_sha256 != <[u8; 32]>::from(Sha256::digest(body)) {
            return Err(WireError::OtherBody);
        }
        let signature: [u8; SIGNATURE_BYTES] = bytes_exact("auth.signature", &outer.signature)?;
        let signature = Signature::from_slice(&signature).map_err(|_| WireError::Malformed {
            field: "auth.signature",
        })?;
        // One signature, one form: the other half of s would make a second valid call out of the same bytes.
        if signature.normalize_s() != signature {
            return Err(WireError::Malformed {
                field: "auth.signature",
            });
        }
        Ok(Self {
            auth,
            signature,
            request,
        })
    }

    /// The key to look up.
    pub fn device_key_id(&self) -> DeviceKeyId {
        self.auth.device_key_id
    }

    /// Checks that the call was made with `key`, for `home`, at most `skew_min` minutes from `now`, and reads the
    /// body. Whether it is a replay is for the caller to say.
    ///
    /// # Errors
    /// [`WireError::OtherKey`], [`WireError::OtherHome`], [`WireError::Stale`], [`WireError::BadSignature`], or
    /// [`WireError::Malformed`] for a body that is not of its form.
    pub fn verify(
        self,
        key: &DeviceKey,
        home: ProvinceCode,
        now: Minute,
        skew_min: u16,
    ) -> Result<VerifiedCall<C::Body>, WireError> {
        let auth = self.auth;
        if auth.device_key_id != key.id() {
            return Err(WireError::OtherKey);
        }
        if auth.home != home {
            return Err(WireError::OtherHome);
        }
        if auth.at.get().abs_diff(now.get()) > u32::from(skew_min) {
            return Err(WireError::Stale {
                at: auth.at,
                now,
                skew_min,
            });
        }
        key.0
            .verify(&auth.signing_bytes(), &self.signature)
            .map_err(|_| WireError::BadSignature)?;
        let body = C::Body::decode(self.request.body())
            .map_err(|_| WireError::Malformed { field: "body" })?;
        Ok(VerifiedCall { auth, body })
    }
}

impl UnverifiedCall<'_, proto::RegisterRequest> {
    /// As [`UnverifiedCall::verify`], with the key that the body asks to bind: possession of it is what is proved.
    ///
    /// # Errors
    /// As [`UnverifiedCall::verify`] and [`DeviceKey::from_bytes`].
    pub fn verify_with_own_key(
        self,
        home: ProvinceCode,
        now: Minute,
        skew_min: u16,
    ) -> Result<(DeviceKey, VerifiedCall<proto::Register>), WireError> {
        let body = proto::Register::decode(self.request.body())
            .map_err(|_| WireError::Malformed { field: "body" })?;
        let key = DeviceKey::from_bytes(&body.device_key)?;
        Ok((key, self.verify(&key, home, now, skew_min)?))
    }
}

#[cfg(test)]
#[path = "request_auth_tests.rs"]
mod tests;
