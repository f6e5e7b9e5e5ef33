// SPDX-License-Identifier: Apache-2.0
//
// Makes keys and tokens, as an issuer would.

import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

// An issuer of tokens with one key, ES256 or HS256.
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
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
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

  // Signs any header and payload.
  sign(header, payload) {
    const text = `${encode(header)}.${encode(payload)}`;
    const signature =
      this.algorithm === "HS256"
        ? createHmac("sha256", this.#key).update(text).digest()
        : sign("sha256", Buffer.from(text), { key: this.#key, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
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
