// Writes the part of Tabler that our templates and scripts use to static/vendor. `make tabler` runs it.
// PurgeCSS keeps a rule when every name in its selector occurs as a word in one of the sources.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PurgeCSS } from "purgecss";

const root = join(import.meta.dirname, "../..");
const makers = dirname(createRequire(import.meta.url).resolve("@tabler/core/package.json"));
const { version } = JSON.parse(readFileSync(join(makers, "package.json"), "utf8"));
const whole = join(makers, "dist/css/tabler.min.css");
const target = join(root, `static/vendor/tabler-${version}`);
const styles = join(root, "static/css");
const ours = readdirSync(styles).map((name) => readFileSync(join(styles, name), "utf8")).join("");

const [{ css }] = await new PurgeCSS().purge({
  css: [whole],
  content: ["templates/**/*.html", "static/js/*.js", "blueprints/**/*.py"].map((sources) => join(root, sources)),
  dynamicAttributes: ["data-bs-theme"], // set by theme.js
  fontFace: true,
  keyframes: true,
  variables: true,
  safelist: { variables: [...new Set(ours.match(/--tblr-[\w-]+/g))] },
});
const names = new Set([...readFileSync(whole, "utf8").matchAll(/\.(-?[a-z_][\w-]*)/gi)].map(([, name]) => name));
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "tabler.purged.css"), `${css}\n`);
writeFileSync(join(import.meta.dirname, "classes.txt"), [...names].sort().join("\n") + "\n");
