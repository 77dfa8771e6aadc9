import type { FailoverStatus, PlatformStatus } from '../platform/core/platform.ts';
import type { ConditionLine, Report } from './report.ts';
import { duration, table } from './table.ts';

/** One platform, the worst first: read from the top and stop when you know enough. */
export function renderStatus(report: Report): string {
  const { status } = report;
  return [
    heading(report),
    section('Components', components(report.components)),
    section('Waits for', report.waitsFor.map((sentence) => `  ${sentence}`).join('\n')),
    section('Postgres', postgres(status.postgres)),
    section('Redis', redis(status.redis)),
    section('RabbitMQ', rabbitmq(status.rabbitmq)),
    section('Workers', workers(status)),
    section('Last failover', failover(status.lastFailover)),
    section('Last failover of Redis', failover(status.redis?.lastFailover)),
    section('Last switchover', switchover(status.lastSwitchover)),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

/** Several platforms, a line each. */
export function renderList(reports: readonly Report[]): string {
  const rows = reports.map((report) => [
    report.namespace,
    report.name,
    report.ready ? 'yes' : 'NO',
    report.summary.reason,
    duration(report.ageSeconds),
    report.summary.message,
  ]);
  return table([['NAMESPACE', 'NAME', 'READY', 'STATUS', 'AGE', 'MESSAGE'], ...rows]);
}

function heading(report: Report): string {
  const { name, namespace, ready, summary, status, ageSeconds } = report;
  const since = summary.seconds === undefined ? '' : ` for ${duration(summary.seconds)}`;
  const lines = [
    `${namespace}/${name}: ${ready ? 'Ready' : 'NOT Ready'}${since} (${summary.reason})`,
    `  ${summary.message}`,
    ...(report.deleting ? ['  It is being deleted.'] : []),
    ...(report.paused ? ['  It is paused: the operator observes, and changes nothing.'] : []),
    ...(report.stale ? ['  The operator has not looked at the newest version of the resource yet.'] : []),
    `  ${facts(status, ageSeconds).join(', ')}`,
  ];
  return lines.join('\n');
}

function facts({ customers, version, api }: PlatformStatus, ageSeconds: number): string[] {
  return [
    ...(customers === undefined ? [] : [`sized for ${customers} customers`]),
    ...(api === undefined ? [] : [`API ${api.readyReplicas} of ${api.replicas} pods ready`]),
    ...(version === undefined ? [] : [`operator ${version}`]),
    `${duration(ageSeconds)} old`,
  ];
}

function section(title: string, body: string | undefined): string | undefined {
  return body === undefined || body === '' ? undefined : `${title}\n${body}`;
}

function components(lines: readonly ConditionLine[]): string {
  return table(
    lines.map(({ type, ok, reason, seconds, message }) => [
      ok ? 'ok' : '!!',
      type.replace(/Ready$/, ''),
      reason,
      seconds === undefined ? '' : duration(seconds),
      message,
    ]),
    2,
  );
}

function postgres(status: PlatformStatus['postgres']): string | undefined {
  if (status?.members === undefined || status.members.length === 0) return undefined;
  const rows = status.members.map(({ name, role, state, lagBytes }) => [
    name,
    role,
    state,
    lagBytes === undefined ? '' : `${lagBytes} bytes behind`,
  ]);
  return table(rows, 2);
}

function redis(status: PlatformStatus['redis']): string | undefined {
  if (status === undefined) return undefined;
  const { mode, state, masters, replicas, slotsAssigned } = status;
  const slots = mode === 'cluster' ? `, ${slotsAssigned} of 16384 slots` : '';
  return `  ${mode}: ${state}, ${masters} primaries, ${replicas} replicas${slots}`;
}

function rabbitmq(status: PlatformStatus['rabbitmq']): string | undefined {
  if (status === undefined) return undefined;
  const { runningNodes, quorumCritical, membership } = status;
  const lines = [`  run: ${runningNodes.length === 0 ? 'none' : runningNodes.join(', ')}`];
  if (quorumCritical.length > 0)
    lines.push(`  do not stop, or a queue loses its majority: ${quorumCritical.join(', ')}`);
  if (membership !== undefined) {
    const { name, node, message } = membership;
    lines.push(`  ${name} ${node}${message === undefined ? '' : `: ${message}`}`);
  }
  return lines.join('\n');
}

function workers({ workers: pools }: PlatformStatus): string | undefined {
  if (pools === undefined || pools.length === 0) return undefined;
  const rows = pools.map(({ name, replicas, readyReplicas, queueLength }) => [
    name,
    `${readyReplicas} of ${replicas} ready`,
    queueLength === undefined ? 'queue length not known' : `${queueLength} messages in its queues`,
  ]);
  return table(rows, 2);
}

function failover(status: FailoverStatus | undefined): string | undefined {
  if (status === undefined) return undefined;
  const { component, from = '?', to = '?', reason, outcome, rtoSeconds } = status;
  const steps = (['detectedAt', 'fencedAt', 'promotedAt', 'servingAt'] as const).flatMap((step) =>
    status[step] === undefined ? [] : [[step.replace(/At$/, ''), status[step]]],
  );
  const took = rtoSeconds === undefined ? '' : ` in ${rtoSeconds} s`;
  const head = `  ${component} from ${from} to ${to}: ${outcome}${took}; ${reason}`;
  return steps.length === 0 ? head : `${head}\n${table(steps, 4)}`;
}

function switchover(status: PlatformStatus['lastSwitchover']): string | undefined {
  if (status === undefined) return undefined;
  const { request, from = '?', to = 'any', outcome, message, finishedAt } = status;
  const when = finishedAt === undefined ? '' : `, ${finishedAt}`;
  return `  '${request}' from ${from} to ${to}: ${outcome}${message === undefined ? '' : `; ${message}`}${when}`;
}
