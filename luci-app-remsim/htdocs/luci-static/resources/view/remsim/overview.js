'use strict';
'require view';
'require dom';
'require fs';
'require poll';
'require request';
'require uci';
'require ui';

/* The relay to the service. uhttpd has three script slots for all of LuCI and serves who waits newest first, so this
   page takes two at most and lets its own requests queue here. */
const API = 'admin/services/remsim/api';
const MOST_AT_ONCE = 2;
const TIMEOUT_MS = 20000;
const LOOK_AGAIN_S = 5;
const SEEN_KEY = 'remsim.resources';

const waiting = [];
let running = 0;
let loggedOut = null;

function apiUrl(path, query) {
	const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined);

	return L.url(API, path) + (pairs.length ? '?' + new URLSearchParams(pairs) : '');
}

function problemOf(answer) {
	try {
		return answer.json();
	}
	catch {
		return { detail: _('The router answered with something unreadable (HTTP %d).').format(answer.status) };
	}
}

async function send(path, method, query, body) {
	/* "cache" keeps LuCI from appending a time stamp, which the service would take for a parameter; its answers are
	   not to be stored anyway. The session's token proves to the relay that a page of LuCI asks. */
	const answer = await request.request(apiUrl(path, query), {
		method, content: body, cache: true, timeout: TIMEOUT_MS,
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
	if (running >= MOST_AT_ONCE || !waiting.length)
		return;

	const job = waiting.shift();

	running++;
	await job();
	running--;
	next();
}

/* What the dashboard asks with. The state goes before the charts: it says what is now. */
function ask(path, { method = 'GET', query, body } = {}) {
	return new Promise((resolve, reject) => {
		const job = () => (loggedOut ? Promise.reject(loggedOut) : send(path, method, query, body)).then(resolve, error => {
			/* LuCI has opened its dialog: what still waits here would only open it again. */
			if (error.name === 'SessionError')
				loggedOut = error;

			reject(error);
		});

		if (path === 'state' || method !== 'GET')
			waiting.unshift(job);
		else
			waiting.push(job);

		next();
	});
}

/* Where this browser could reach the service itself; null where only the relay does: the service listens on the
   loopback, or without TLS while this page has it. */
function streamOrigin() {
	const listen = uci.get_first('remsim_console', 'web', 'listen') ?? '';
	const [, host, port] = listen.match(/^(.+):(\d+)$/) ?? [];

	if (!host || location.protocol !== 'http:' || /^(127\.|localhost$|\[::1\]$)/.test(host))
		return null;

	return `http://${host === '0.0.0.0' || host === '[::]' ? location.hostname : host}:${port}`;
}

async function streamUrl(lastId) {
	const origin = streamOrigin();

	if (!origin)
		return null;

	const { ticket } = await ask('tickets', { method: 'POST', body: { purpose: 'stream' } });
	const query = new URLSearchParams({ ticket });

	if (lastId)
		query.set('last_event_id', lastId);

	return `${origin}/api/v1/stream?${query}`;
}

/* Modules import each other without LuCI's version in the address, and uhttpd does not say how long a file may be kept:
   after an update of any package the browser has to ask for each of them again. */
async function freshen(url, seen = new Set()) {
	if (seen.has(url))
		return;

	seen.add(url);

	const text = await (await fetch(url, { cache: 'reload' })).text();
	const imports = [...text.matchAll(/^import [^;]*?'(\.[^']+)'/gm)].map(([, name]) => new URL(name, url).href);

	await Promise.all(imports.map(one => freshen(one, seen)));
}

async function loadDashboard() {
	const url = new URL(L.resource('remsim/app/dashboard.js'), location.href).href;
	const version = String(L.env.resource_version);

	if (localStorage.getItem(SEEN_KEY) !== version) {
		await freshen(url);
		localStorage.setItem(SEEN_KEY, version);
	}

	return import(url);
}

function addStyles() {
	for (const name of ['remsim/luci.css', 'remsim/app/remsim.css']) {
		const href = `${L.resource(name)}?v=${L.env.resource_version}`;

		if (!document.querySelector(`link[href="${href}"]`))
			document.head.append(E('link', { rel: 'stylesheet', href }));
	}
}

/* The height of a head that stays in sight while the page scrolls below it, as theme bootstrap's does. */
function headHeight() {
	const head = document.querySelector('body > header');

	return head && getComputedStyle(head).position === 'sticky' ? head.offsetHeight : 0;
}

return view.extend({
	load() {
		return Promise.all([
			ask('state').catch(error => error),
			loadDashboard().catch(error => error),
			L.resolveDefault(uci.load('remsim_console'), null)
		]);
	},

	render([state, modules]) {
		addStyles();
		this.box = E('section', { 'class': 'remsim-view' });

		if (modules instanceof Error) {
			this.box.append(this.problem(_('The pages of remsim are incomplete.'), modules.message,
				_('Install the package luci-app-remsim again.')));
			return this.box;
		}

		this.modules = modules;
		this.firstState = state;

		/* LuCI's "Refreshing" in the head stops and starts its poll loop; the dashboard's own loop goes along. Requests
		   keep the login from running out: a tab that nobody sees makes none. */
		document.addEventListener('poll-stop', () => { this.stopped = true; this.follow(); });
		document.addEventListener('poll-start', () => { this.stopped = false; this.follow(); });
		document.addEventListener('visibilitychange', () => this.follow());

		this.watch = () => this.dashboard ? this.leave() : this.look();

		/* Charts measure their place: it has to be in the document first. */
		setTimeout(() => this.show().then(() => poll.add(this.watch, LOOK_AGAIN_S)).catch(error => L.error(error)));

		return this.box;
	},

	/* Nothing goes on once something else is in this page's place. */
	leave() {
		if (this.box.isConnected)
			return;

		poll.remove(this.watch);
		this.dashboard.destroy();
		this.dashboard = null;
	},

	/* While the service does not answer: whether it does now. The poll loop and the button may ask at the same time. */
	look() {
		if (this.dashboard || document.hidden)
			return null;

		this.looking ??= ask('state').catch(error => error).then(state => {
			this.firstState = state;

			return this.show();
		}).finally(() => { this.looking = null; });

		return this.looking;
	},

	async show() {
		if (this.firstState instanceof Error) {
			dom.content(this.box, this.whyNot(this.firstState));
			return;
		}

		dom.content(this.box, []);
		this.box.style.setProperty('--remsim-head', `${headHeight()}px`);
		this.dashboard = await this.modules.mount(this.box, {
			request: (path, options) => this.ask(path, options),
			streamUrl,
			exportUrl: (kind, query) => apiUrl(`export.${kind}`, query),
			t: (text, ...values) => this.modules.plain(_(text), ...values),
			locale: document.documentElement.lang || null,
			links: { wall: null },
			readonly: !L.hasViewPermission(),
			scheme: 'ground'
		});

		this.follow();
	},

	follow() {
		if (this.stopped || document.hidden)
			this.dashboard?.pause();
		else
			this.dashboard?.resume();
	},

	/* The state that load() has brought is the first answer. */
	ask(path, options) {
		const first = this.firstState;

		if (path !== 'state' || !first)
			return ask(path, options);

		this.firstState = null;

		return Promise.resolve(first);
	},

	/* The relay's code is told here in words that can be translated. */
	whyNot({ code, message, hint }) {
		const title = _('The modems cannot be shown.');

		if (code !== 'service_down')
			return this.problem(title, message, hint);

		const detail = _('The remsim service is not running, or does not answer.');

		return L.hasViewPermission()
			? this.problem(title, detail, _('It may be starting. This page tries again every few seconds.'), this.startButton())
			: this.problem(title, detail, _('Someone who may change settings has to start it. This page tries again every few seconds.'));
	},

	problem(title, detail, hint, button) {
		return E('div', { 'class': 'alert-message warning', 'role': 'alert' }, [
			E('h4', {}, [title]),
			E('p', {}, [detail]),
			hint ? E('p', {}, [hint]) : '',
			button ?? ''
		]);
	},

	startButton() {
		return E('button', {
			'class': 'btn cbi-button cbi-button-action important',
			'click': ui.createHandlerFn(this, 'start')
		}, [_('Start it')]);
	},

	async start() {
		try {
			const { code, stderr } = await fs.exec('/etc/init.d/remsim-console', ['start']);

			if (code)
				throw new Error(stderr || _('The init script ended with code %d.').format(code));
		}
		catch (error) {
			ui.addNotification(_('The service could not be started'), E('p', {}, [error.message]), 'danger');
		}

		await this.look();
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
