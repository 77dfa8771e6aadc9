/** Linux's numbers for `IPPROTO_TCP` and `TCP_USER_TIMEOUT`. */
const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;
/**
 * Nodes say something to each other ten times a second. When not one packet of it has been acknowledged for so long, the network between them is gone,
 * whatever a node is busy with: its kernel would have acknowledged.
 */
const UNACKNOWLEDGED_MS = 3_000;
const onConnections = `[{raw,${IPPROTO_TCP},${TCP_USER_TIMEOUT},<<${UNACKNOWLEDGED_MS}:32/native>>}]`;

/**
 * For how long a node waits for another to answer its call, which holds up whoever asks for what that one has. Erlang's default is 7 s.
 */
const CALL_SECONDS = 2;

/** Arguments of the server's Erlang machine. The server's script splits them at spaces. */
export const ERLANG_ARGUMENTS = [
  // Idle schedulers sleep instead of spinning: three brokers and two cores have better uses for them.
  '+sbwt none +sbwtdcpu none +sbwtdio none',
  `-kernel inet_dist_connect_options ${onConnections}`,
  `-kernel inet_dist_listen_options ${onConnections}`,
  `-kernel net_setuptime ${CALL_SECONDS}`,
].join(' ');
