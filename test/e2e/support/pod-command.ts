import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Pod } from '../../../operator/kube/resources.ts';

const execute = promisify(execFile);

/** Runs a shell command in a container, as somebody on call would; resolves with what it printed. */
export async function inContainer({ metadata }: Pod, container: string, command: string): Promise<string> {
  const { name, namespace = '' } = metadata;
  const { stdout } = await execute('kubectl', [
    'exec',
    '-n',
    namespace,
    name,
    '-c',
    container,
    '--',
    'sh',
    '-c',
    command,
  ]);
  return stdout;
}
