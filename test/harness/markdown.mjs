// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url);

// Reads a page of the documentation, named from the root of the repository.
export function page(name) {
  return readFile(new URL(name, ROOT), "utf8");
}

// Returns the fenced blocks of a page: {language, text, line}. What stands in them ends with a line end.
export function fencedBlocks(markdown) {
  const blocks = [];
  let block;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (block === undefined && line.startsWith("```")) {
      block = { language: line.slice(3), text: "", line: index + 1 };
    } else if (block !== undefined && line === "```") {
      blocks.push(block);
      block = undefined;
    } else if (block !== undefined) {
      block.text += `${line}\n`;
    }
  }
  if (block !== undefined) {
    throw new Error(`the block of line ${block.line} has no end`);
  }
  return blocks;
}
