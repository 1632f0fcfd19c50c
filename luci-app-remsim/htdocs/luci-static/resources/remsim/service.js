'use strict';
'require baseclass';
'require request';
'require uci';

/* The relay to the service. uhttpd has three script slots for all of LuCI and serves who waits newest first, so a page
   takes two at most and lets its own requests queue here. What asks a modem may last a while: one of those at a time,
   so that the state of things still comes. */
const API = 'admin/services/remsim/api';
const MOST_AT_ONCE = 2;
const TIMEOUT_MS = 20000;
const ASKS_MODEM = /^modems\/[^/]+\/(?!actions$)/;
const MODEM_TIMEOUT_MS = 60000;

const waiting = [];
let running = 0;
let asking = 0;
let loggedOut = null;

function problemOf(answer) {
	try {
		return answer.json();
	}
	catch {
		return { detail: _('The router answered with something unreadable (HTTP %d).').format(answer.status) };
	}
}

async function send(url, path, method, body) {
	/* "cache" keeps LuCI from appending a time stamp, which the service would take for a parameter; its answers are
	   not to be stored anyway. The session's token proves to the relay that a page of LuCI asks. */
	const answer = await request.request(url, {
		method, content: body, cache: true, timeout: ASKS_MODEM.test(path) ? MODEM_TIMEOUT_MS : TIMEOUT_MS,
		headers: method === 'GET' ? {} : { Authorization: `Bearer ${L.env.token}` }
	}).catch(error => {
		throw error.name === 'SessionError' ? error : new Error(_('The router does not answer.'));
	});

	if (answer.ok)
		return answer.status === 204 ? {} : answer.json();

	const problem = problemOf(answer);

	throw Object.assign(new Error(problem.detail || problem.title || `HTTP ${answer.status}`), {
		status: answer.status, code: problem.code, field: problem.field, hint: problem.hint
	});
}

async function next() {
	const at = running < MOST_AT_ONCE ? waiting.findIndex(job => !(job.asksModem && asking)) : -1;

	if (at < 0)
		return;

	const [job] = waiting.splice(at, 1);

	running++;
	asking += job.asksModem;
	await job.run();
	running--;
	asking -= job.asksModem;
	next();
}

return baseclass.extend({
	apiUrl(path, query) {
		const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);

		return L.url(API, path) + (pairs.length ? '?' + new URLSearchParams(pairs) : '');
	},

	/* What the pages ask with. The state and what someone wants done go first: they say what is now. */
	ask(path, { method = 'GET', query, body } = {}) {
		return new Promise((resolve, reject) => {
			const run = () => (loggedOut ? Promise.reject(loggedOut) : send(this.apiUrl(path, query), path, method, body)).then(resolve, error => {
				/* LuCI has opened its dialog: what still waits here would only open it again. */
				if (error.name === 'SessionError')
					loggedOut = error;

				reject(error);
			});
			const job = { run, asksModem: ASKS_MODEM.test(path) };

			if (path === 'state' || method !== 'GET')
				waiting.unshift(job);
			else
				waiting.push(job);

			next();
		});
	},

	/* Where this browser could reach the service itself, or in a code why it cannot: the service listens on the loopback,
	   or without TLS while this page has it. nginx has it at the page's own origin. */
	streamPlace() {
		const path = uci.get_first('remsim_console', 'web', 'proxied_at');

		if (path)
			return { origin: location.origin + path };

		const listen = uci.get_first('remsim_console', 'web', 'listen') ?? '';
		const [, host, port] = listen.match(/^(.+):(\d+)$/) ?? [];

		if (!host || /^(127\.|localhost$|\[::1\]$)/.test(host))
			return { why: 'loopback' };

		if (location.protocol !== 'http:')
			return { why: 'tls' };

		return { origin: `http://${host === '0.0.0.0' || host === '[::]' ? location.hostname : host}:${port}` };
	},

	async streamUrl(lastId) {
		const { origin } = this.streamPlace();

		if (!origin)
			return null;

		const { ticket } = await this.ask('tickets', { method: 'POST', body: { purpose: 'stream', origin: location.origin } });
		const query = new URLSearchParams({ ticket });

		if (lastId)
			query.set('last_event_id', lastId);

		return `${origin}/api/v1/stream?${query}`;
	}
});
