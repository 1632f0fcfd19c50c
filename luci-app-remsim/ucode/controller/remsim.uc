// SPDX-License-Identifier: GPL-2.0-or-later
//
// Relays admin/services/remsim/api/* to the service on this router. LuCI's dispatcher has checked the session and that
// it may read; here it is checked whether it may write, and whether it has the rights of their own. A request holds one of
// uhttpd's three slots for as long as it lasts, and uhttpd ends it after 60 s: what takes longer is a job.

'use strict';

import { readfile } from 'fs';
import * as socket from 'socket';
import { cursor } from 'uci';

const GROUP = 'luci-app-remsim';

// What of a modem needs a right besides: modems/ID/NAME and all below.
const CONSOLE = {
	group: 'luci-app-remsim-console', level: 'write', code: 'no_console', detail: 'This login may not use the AT console.'
};
const OWN_RIGHTS = {
	at: CONSOLE,
	record: CONSOLE,
	identifiers: {
		group: 'luci-app-remsim-identifiers', level: 'read', code: 'no_identifiers',
		detail: 'This login may not see identifiers in full.'
	}
};
const READERS = {
	tickets: [ 'POST' ],
	'sms/preview': [ 'POST' ],
	'alert-rules/preview': [ 'POST' ],
	'esim/parse': [ 'POST' ],
	'esim/rules/preview': [ 'POST' ],
	'layouts/mine': [ 'PUT', 'DELETE' ]
};
const API = '/api/v1/';
const LISTEN = '127.0.0.1:8090';
const STATE_DIR = '/etc/remsim';

const BODY_LIMIT = 100 * 1024;
const HEAD_LIMIT = 16 * 1024;
const QUERY_LIMIT = 4096;
const PIECE = 32 * 1024;
const CONNECT_MS = 2000;
const SILENCE_S = 10;
const MODEM_SILENCE_S = 50;

const METHODS = { GET: 'read', HEAD: 'read', POST: 'write', PUT: 'write', PATCH: 'write', DELETE: 'write' };
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9_.:-]*$/s;
const USER = /^[A-Za-z0-9_.-]{1,32}$/s;

// What is neither here nor set by the relay itself stays where it is: cookies, hop-by-hop headers, authentication.
const ASKED = [ 'accept', 'accept-encoding', 'accept-language', 'if-match', 'if-none-match', 'idempotency-key' ];
const ANSWERED = [
	'content-type', 'content-encoding', 'content-disposition', 'content-length', 'cache-control', 'etag', 'last-modified',
	'retry-after'
];

// Whether all of a text is as the pattern says. The length is compared because a match ends at the first NUL, and the
// patterns carry the flag s because ^ and $ mean any line's ends without it: %00 and %0a in an address come as such.
function is_all(text, pattern) {
	const found = match(text, pattern);

	return found && length(found[0]) == length(text);
}

function problem(status, title, code, detail, hint) {
	http.status(status, title);
	http.header('Content-Type', 'application/problem+json');
	http.header('Cache-Control', 'no-store');
	http.write_json({ type: 'about:blank', title, status, detail, code, field: null, hint });
}

function unavailable(detail) {
	problem(503, 'Service Unavailable', 'service_down', detail, 'start the service: /etc/init.d/remsim-console start');
}

function bad_gateway(detail, hint) {
	problem(502, 'Bad Gateway', 'bad_gateway', detail, hint ?? 'see the system log for messages of remsim');
}

// Where the service is to be found: what it listens on, or the loopback when that is every address.
function service() {
	const config = cursor();
	const listen = config.get_first('remsim_console', 'web', 'listen') ?? LISTEN;
	const state_dir = config.get_first('remsim_console', 'service', 'state_dir') ?? STATE_DIR;
	const found = match(listen, /^\[?([A-Za-z0-9.:-]+)\]?:([0-9]+)$/s);
	const anywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' };

	return {
		host: found && (anywhere[found[1]] ?? found[1]),
		port: found && int(found[2]),
		token: match(readfile(`${state_dir}/token`) ?? '', /^([A-Za-z0-9_-]{32,})\s*$/s)?.[1]
	};
}

// All headers under a ucode prefix, uhttpd's few ones under plain CGI.
function header(name) {
	return http.getenv('headers')?.[name] ?? http.getenv('HTTP_' + uc(replace(name, '-', '_')));
}

function may(group, level) {
	return level in ctx.authacl?.['access-group']?.[group];
}

function may_write() {
	return may(GROUP, 'write');
}

// A right of its own is none to what it goes with: who may not write has no console either.
function has_own_right(own) {
	return may(GROUP, own.level) && may(own.group, own.level);
}

// What the login may do, in the service's words: the service holds whoever comes through here to it.
function scopes() {
	const found = filter([ 'read', 'write' ], level => may(GROUP, level));

	if (has_own_right(CONSOLE))
		push(found, 'at-console');

	if (has_own_right(OWN_RIGHTS.identifiers))
		push(found, 'identifiers');

	return join(' ', found);
}

// What a login that may only look sends too: it changes nothing, or only what is his own.
function is_for_readers(method, path) {
	return path in READERS && method in READERS[path];
}

// Forms, messages and short actions ask a modem, which may take its time; all else is answered from memory.
function asks_modem(segments) {
	return segments[0] == 'modems' && length(segments) > 2;
}

// The session's cookie comes along with requests that other pages of this host make; this token does not.
function is_from_our_page() {
	return type(ctx.authtoken) == 'string' && length(ctx.authtoken) > 0 &&
		header('authorization') == `Bearer ${ctx.authtoken}`;
}

// The body, "" when there is none, null when it is no JSON. Asking for a body that does not come would never end.
function read_body() {
	if (!(int(http.getenv('CONTENT_LENGTH') ?? 0) > 0))
		return '';

	if (!match(http.getenv('CONTENT_TYPE') ?? '', /^application\/json *(;|$)/s))
		return null;

	return http.content() ?? '';
}

function send_all(upstream, text) {
	while (length(text)) {
		const sent = upstream.send(text);

		if (!(sent > 0))
			return false;

		text = substr(text, sent);
	}

	return true;
}

// Status, reason, headers and the first piece of the body; null when no answer came in time or it is none.
function read_head(upstream) {
	let text = '', end;

	while ((end = index(text, '\r\n\r\n')) < 0) {
		const piece = length(text) < HEAD_LIMIT ? upstream.recv(PIECE) : null;

		if (!length(piece))
			return null;

		text += piece;
	}

	const lines = split(substr(text, 0, end), '\r\n');
	const first = match(shift(lines), /^HTTP\/1\.[01] ([2-5][0-9][0-9]) ?([ -~]*)$/s);

	if (!first)
		return null;

	const headers = {};

	for (let line in lines) {
		const pair = match(line, /^([A-Za-z0-9-]+):[ \t]*([^[:cntrl:]]*)$/s);

		if (pair)
			headers[lc(pair[1])] = pair[2];
	}

	return { status: int(first[1]), reason: first[2] || 'Answer', headers, rest: substr(text, end + 4) };
}

function relay_answer(method, upstream) {
	const head = read_head(upstream);

	if (!head || head.headers['transfer-encoding'])
		return bad_gateway('The remsim service did not answer in time, or not with HTTP.');

	if (head.status == 401)
		return bad_gateway('The remsim service refuses the token of this page.',
			'restart the service: /etc/init.d/remsim-console restart');

	http.status(head.status, head.reason);

	// What does not say what it is would become a page of LuCI.
	head.headers['content-type'] ??= 'application/octet-stream';

	for (let name in ANSWERED)
		if (head.headers[name] != null)
			http.header(name, head.headers[name]);

	if (method == 'HEAD' || head.status == 204 || head.status == 304)
		return http.close();

	http.write(head.rest);

	for (let piece = upstream.recv(PIECE); length(piece); piece = upstream.recv(PIECE))
		http.write(piece);
}

function relay(method, path, body, silence_s) {
	const found = service();

	if (!found.host)
		return bad_gateway('remsim_console.web.listen is not HOST:PORT.', 'correct /etc/config/remsim_console');

	if (!found.token)
		return unavailable('The remsim service has not been started on this router yet.');

	const upstream = socket.connect(found.host, found.port, null, CONNECT_MS);

	if (!upstream)
		return unavailable('The remsim service does not answer.');

	for (let option in [ socket.SO_RCVTIMEO, socket.SO_SNDTIMEO ])
		upstream.setopt(socket.SOL_SOCKET, option, { sec: silence_s, usec: 0 });

	// HTTP/1.0: the answer comes without chunks and ends with the connection.
	const request = [
		`${method} ${path} HTTP/1.0`,
		`Host: localhost:${found.port}`,
		`Authorization: Bearer ${found.token}`,
		`X-Remsim-Scopes: ${scopes()}`,
		'Connection: close'
	];

	// The journal names who asked. A browser's own header of that name is not among those passed on.
	if (type(ctx.authuser) == 'string' && is_all(ctx.authuser, USER))
		push(request, `X-Remsim-User: ${ctx.authuser}`);

	for (let name in ASKED) {
		const value = header(name);

		if (value && is_all(value, /^[ -~]+$/s))
			push(request, `${name}: ${value}`);
	}

	if (body !== '')
		push(request, 'Content-Type: application/json');

	if (METHODS[method] == 'write')
		push(request, `Content-Length: ${length(body)}`);

	if (send_all(upstream, join('\r\n', request) + '\r\n\r\n' + body))
		relay_answer(method, upstream);
	else
		bad_gateway('The remsim service hung up.');

	upstream.close();
}

return {
	action_relay: function(...segments) {
		const method = http.getenv('REQUEST_METHOD');
		const query = http.getenv('QUERY_STRING') ?? '';
		const path = join('/', segments);

		if (!(method in METHODS)) {
			http.header('Allow', join(', ', keys(METHODS)));
			return problem(405, 'Method Not Allowed', 'method_not_allowed', 'This method is not relayed.', null);
		}

		if (!length(segments) || length(filter(segments, name => !is_all(name, SEGMENT))))
			return problem(404, 'Not Found', 'not_found', 'There is nothing at this address.', null);

		if (length(query) > QUERY_LIMIT || !is_all(query, /^[!-~]*$/s))
			return problem(400, 'Bad Request', 'bad_query', 'The query is too long or holds characters that must be encoded.', null);

		if (segments[0] == 'stream')
			return problem(404, 'Not Found', 'no_stream', 'The live stream does not pass through LuCI.',
				'poll state?since=ID, or ask POST tickets for a ticket and open the stream at the service itself');

		const own = segments[0] == 'modems' ? OWN_RIGHTS[segments[2]] : null;

		if (own && !has_own_right(own))
			return problem(403, 'Forbidden', own.code, own.detail, `ask for ${own.level} access to ${own.group} besides ${GROUP}`);

		let body = '';

		if (METHODS[method] == 'write') {
			if (!may_write() && !is_for_readers(method, path))
				return problem(403, 'Forbidden', 'read_only', 'This login may look but change nothing.',
					`ask for write access to ${GROUP}`);

			if (!is_from_our_page())
				return problem(403, 'Forbidden', 'no_page_token', 'The request does not come from a page of this session.',
					'reload the page');

			if (int(http.getenv('CONTENT_LENGTH') ?? 0) > BODY_LIMIT)
				return problem(413, 'Content Too Large', 'too_large', 'More than 100 kB cannot be sent through LuCI.', null);

			body = read_body();

			if (body === null)
				return problem(415, 'Unsupported Media Type', 'not_json', 'The body has to be JSON.', null);
		}

		relay(method, API + path + (query === '' ? '' : `?${query}`), body, asks_modem(segments) ? MODEM_SILENCE_S : SILENCE_S);
	}
};
