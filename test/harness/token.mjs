// SPDX-License-Identifier: Apache-2.0
//
// Makes keys and tokens, as an issuer would.

import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";

const isAsItIs = (value) => typeof value === "string" || Buffer.isBuffer(value);
const encode = (value) => Buffer.from(isAsItIs(value) ? value : JSON.stringify(value)).toString("base64url");

// How a key for an algorithm is made, and how it signs.
const ALGORITHMS = {
  ES256: { kind: ["ec", { namedCurve: "P-256" }], hash: "sha256", options: { dsaEncoding: "ieee-p1363" } },
  RS256: { kind: ["rsa", { modulusLength: 2048 }], hash: "sha256", options: {} },
  EdDSA: { kind: ["ed25519", {}], hash: null, options: {} },
};

// An issuer of tokens with one key.
export class Issuer {
  name;
  kid;
  #key;
  #jwk;

  constructor(name, { kid = "key", algorithm = "ES256", secret = randomBytes(32) } = {}) {
    this.name = name;
    this.kid = kid;
    this.algorithm = algorithm;
    if (algorithm === "HS256") {
      this.#key = secret;
      this.#jwk = { kty: "oct", k: secret.toString("base64url") };
    } else {
      const { publicKey, privateKey } = generateKeyPairSync(...ALGORITHMS[algorithm].kind);
      this.publicKey = publicKey;
      this.#key = privateKey;
      this.#jwk = publicKey.export({ format: "jwk" });
    }
  }

  // The key for who verifies.
  get jwk() {
    return { ...this.#jwk, kid: this.kid, alg: this.algorithm };
  }

  async writeKey(file) {
    await writeFile(file, JSON.stringify(this.jwk), { mode: 0o600 });
  }

  // The same in PEM, which has no kid.
  async writePem(file) {
    await writeFile(file, this.publicKey.export({ type: "spki", format: "pem" }), { mode: 0o600 });
  }

  // Signs any header and payload: what is to be JSON, or a text or bytes as they are.
  sign(header, payload) {
    return this.signText(`${encode(header)}.${encode(payload)}`);
  }

  // Signs what stands before the signature.
  signText(text) {
    return `${text}.${this.signature(text).toString("base64url")}`;
  }

  signature(text, options) {
    if (this.algorithm === "HS256") {
      return createHmac("sha256", this.#key).update(text).digest();
    }
    const { hash, options: usual } = ALGORITHMS[this.algorithm];
    return sign(hash, Buffer.from(text), { key: this.#key, ...usual, ...options });
  }

  // A token of 1.0. `publish` and `subscribe` are lists of matchers, as {match, match_type}, or texts.
  token({ publish, subscribe, audience = AUDIENCE, seconds = 600, claims = {}, header = {} } = {}) {
    const details = [];
    for (const [action, topics] of Object.entries({ publish, subscribe })) {
      if (topics !== undefined) {
        const matchers = topics.map((topic) => (typeof topic === "string" ? { match: topic } : topic));
        details.push({ type: DETAIL, actions: [action], topics: matchers });
      }
    }
    return this.sign(
      { typ: "at+jwt", alg: this.algorithm, kid: this.kid, ...header },
      {
        iss: this.name,
        aud: audience,
        exp: Math.floor(Date.now() / 1000) + seconds,
        authorization_details: details,
        ...claims,
      },
    );
  }

  // A token of 0.x.
  formerToken(mercure, claims = {}) {
    return this.sign({ typ: "JWT", alg: this.algorithm }, { mercure, ...claims });
  }
}

export const AUDIENCE = "https://hub.example.net/.well-known/mercure";
export const DETAIL = "https://mercure.rocks/authorization-detail";
