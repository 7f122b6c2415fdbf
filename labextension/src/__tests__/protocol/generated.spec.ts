import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

it('what is committed is what openapi.yaml makes', () => {
  execFileSync(process.execPath, ['scripts/protocol.mjs', '--check'], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: 'pipe'
  });
});
