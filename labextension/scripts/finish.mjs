/**
 * Finishes a built extension: adds the metadata for JupyterLab's extension manager, and the version, which is written in one place,
 * `aumos_governance/_version.py`, as Python writes versions.
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);
const BUILT = new URL('aumos_governance/labextension/', ROOT);
const STAGES = { a: 'alpha', b: 'beta', rc: 'rc' };

const source = readFileSync(
  new URL('aumos_governance/_version.py', ROOT),
  'utf8'
);
const found =
  /__version__ = "(\d+\.\d+\.\d+)(?:(a|b|rc)(\d+))?(\.dev\d+)?"/.exec(source);
if (found === null) {
  throw new Error('aumos_governance/_version.py holds no version like 1.2.3a4');
}
const [, release, stage, number, development = ''] = found;
const version =
  release + (stage ? `-${STAGES[stage]}.${number}` : development ? '-0' : '');

copyFileSync(
  new URL('install.json', new URL('../', import.meta.url)),
  new URL('install.json', BUILT)
);
const file = new URL('package.json', BUILT);
const description = JSON.parse(readFileSync(file, 'utf8'));
writeFileSync(
  file,
  JSON.stringify({ ...description, version: version + development }, null, 2) +
    '\n'
);
