import { parseArgs } from 'node:util';

export const usage = `usage: kubectl isp status [NAME] [-n NAMESPACE | -A] [-o json]
       kubectl isp plan NAME [-n NAMESPACE]
       kubectl isp plan -f FILE
       kubectl isp switchover NAME [--to POD] [-n NAMESPACE]

  status  what runs, what does not and what it waits for; without NAME all platforms of the namespace
  plan    the sizes that a platform has, or that a file would give it ('-' reads standard input)
  switchover  moves the Postgres primary as planned work, and waits until it has moved

  -n, --namespace NAMESPACE   default: the namespace of the current context
  -A, --all-namespaces        platforms of all namespaces
  -f, --filename FILE         a manifest with an IspSupportPlatform
  -o, --output json           for programs
      --to POD                the member to become the primary; default: the one that is the least behind
      --kubeconfig FILE       default: KUBECONFIG, else ~/.kube/config

switchover ends with 0 when the primary has moved, with 1 when that was refused or has failed.
status ends with 0 when every platform shown is Ready, with 1 when one is not, and with 2 when that cannot be said.`;

/** What was typed cannot be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

interface Common {
  readonly kubeconfig?: string;
  /** Absent: the context's. */
  readonly namespace?: string;
  readonly json: boolean;
}

export interface StatusCommand extends Common {
  readonly command: 'status';
  /** Absent: all. */
  readonly name?: string;
  readonly allNamespaces: boolean;
}

export interface PlanCommand extends Common {
  readonly command: 'plan';
  readonly source: { readonly name: string } | { readonly file: string };
}

export interface SwitchoverCommand extends Common {
  readonly command: 'switchover';
  readonly name: string;
  /** Absent: any. */
  readonly to?: string;
}

export type Command = StatusCommand | PlanCommand | SwitchoverCommand | { readonly command: 'help' };

/** @throws UsageError that says what is wrong. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const [command, name, ...rest] = positionals;
  if (values.help || command === 'help' || args.length === 0) return { command: 'help' };
  if (rest.length > 0) throw new UsageError(`too many arguments: ${rest.join(' ')}`);
  if (values.output !== undefined && values.output !== 'json')
    throw new UsageError(`output ${values.output} is not known; it can be json`);
  const common: Common = {
    json: values.output === 'json',
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig }),
    ...(values.namespace === undefined ? {} : { namespace: values.namespace }),
  };
  switch (command) {
    case 'status':
      return statusCommand(common, name, values['all-namespaces'] ?? false);
    case 'plan':
      return planCommand(common, name, values.filename);
    case 'switchover':
      if (name === undefined) throw new UsageError('switchover takes the NAME of a platform');
      return { command: 'switchover', ...common, name, ...(values.to === undefined ? {} : { to: values.to }) };
    default:
      throw new UsageError(`command ${command} is not known`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        namespace: { type: 'string', short: 'n' },
        'all-namespaces': { type: 'boolean', short: 'A' },
        filename: { type: 'string', short: 'f' },
        output: { type: 'string', short: 'o' },
        kubeconfig: { type: 'string' },
        to: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function statusCommand(common: Common, name: string | undefined, allNamespaces: boolean): StatusCommand {
  if (allNamespaces && (name !== undefined || common.namespace !== undefined))
    throw new UsageError('-A shows the platforms of all namespaces: leave out NAME and -n');
  return { command: 'status', ...common, allNamespaces, ...(name === undefined ? {} : { name }) };
}

function planCommand(common: Common, name: string | undefined, file: string | undefined): PlanCommand {
  if (name !== undefined && file === undefined) return { command: 'plan', ...common, source: { name } };
  if (file !== undefined && name === undefined) return { command: 'plan', ...common, source: { file } };
  throw new UsageError('plan takes either the NAME of a platform or -f FILE');
}
