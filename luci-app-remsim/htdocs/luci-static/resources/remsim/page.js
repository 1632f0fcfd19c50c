'use strict';
'require baseclass';
'require dom';
'require fs';
'require poll';
'require uci';
'require ui';
'require remsim.loader as loader';
'require remsim.service as service';

const LOOK_AGAIN_S = 5;
const PAGES = 'admin/services/remsim';

/* The height of a head that stays in sight while the page scrolls below it, as theme bootstrap's does. */
function headHeight() {
	const head = document.querySelector('body > header');

	return head && getComputedStyle(head).position === 'sticky' ? head.offsetHeight : 0;
}

/* Buttons are LuCI's; a row of a list or a value that can be pressed does not look like one. */
const NO_BUTTON = '.remsim-event, .remsim-thread-head, .remsim-why, .remsim-flowpick';

function dress(node) {
	if (!node.matches(`button:not(${NO_BUTTON}), a.remsim-button`))
		return;

	node.classList.add('btn', 'cbi-button');

	if (node.matches('.remsim-primary'))
		node.classList.add('cbi-button-action', 'important');
	else if (node.matches('.remsim-danger'))
		node.classList.add('cbi-button-negative', 'important');
}

/* What every view of this app is: a module of the service's own pages, mounted in LuCI's frame. */
const frame = {
	load() {
		/* A browser has few connections to a host: what takes the router longest goes first. */
		const answers = ['state', ...this.first].map(path => service.ask(path).catch(error => error));

		loader.preload([this.module, 'dom', 'words', ...this.lazy], this.charts);

		return Promise.all([
			Promise.all(answers),
			Promise.all([this.module, 'dom', 'words'].map(name => loader.load(name))).catch(error => error),
			L.resolveDefault(uci.load('remsim_console'), null),
			loader.styles(['remsim', ...this.styles])
		]);
	},

	render([answers, modules]) {
		this.box = E('section', { 'class': 'remsim-view' });

		if (modules instanceof Error) {
			this.box.append(this.problem(_('The pages of remsim are incomplete.'), modules.message,
				_('Install the package luci-app-remsim again.')));
			return this.box;
		}

		const [module, { dressWith }, { plain }] = modules;

		dressWith(dress);
		this.mount = module.mount;
		this.plain = plain;
		[this.firstState] = answers;
		this.answers = new Map(['state', ...this.first].map((path, at) => [path, answers[at]]));

		/* LuCI's "Refreshing" in the head stops and starts its poll loop; the page's own loop goes along. */
		document.addEventListener('poll-stop', () => { this.stopped = true; this.follow(); });
		document.addEventListener('poll-start', () => { this.stopped = false; this.follow(); });
		document.addEventListener('visibilitychange', () => this.follow());

		this.watch = () => this.page ? this.stay() : this.look();

		/* Charts measure their place: it has to be in the document first. */
		setTimeout(() => this.show().then(() => poll.add(this.watch, LOOK_AGAIN_S)).catch(error => L.error(error)));

		return this.box;
	},

	/* Nothing goes on once something else is in this page's place. */
	stay() {
		if (this.box.isConnected)
			return this.follow();

		poll.remove(this.watch);
		this.page.destroy();
		this.page = null;
	},

	/* While the service does not answer: whether it does now. The poll loop and the button may ask at the same time. */
	look() {
		if (this.page || document.hidden)
			return null;

		this.looking ??= service.ask('state').catch(error => error).then(state => {
			this.firstState = state;
			this.answers.set('state', state);

			return this.show();
		}).finally(() => { this.looking = null; });

		return this.looking;
	},

	async show() {
		if (this.firstState instanceof Error) {
			dom.content(this.box, this.whyNot(this.firstState));
			return;
		}

		const place = E('div'), isReadonly = !L.hasViewPermission();

		dom.content(this.box, isReadonly ? [E('p', {}, [_('This login may look but change nothing.')]), place] : [place]);
		this.box.style.setProperty('--remsim-head', `${headHeight()}px`);
		this.page = await this.mount(place, {
			request: (path, options) => this.ask(path, options),
			streamUrl: lastId => service.streamUrl(lastId),
			streamWhy: () => service.streamPlace().why,
			exportUrl: (kind, query) => service.apiUrl(`export.${kind}`, query),
			apiUrl: (path, query) => service.apiUrl(path, query),
			fileUrl: name => loader.url(name),
			t: (text, ...values) => this.plain(_(text), ...values),
			locale: document.documentElement.lang || null,
			links: this.links(),
			readonly: isReadonly,
			throughLuci: true,
			luciVersion: L.env.resource_version,
			scheme: 'ground'
		});

		this.follow();
	},

	links() {
		const page = name => L.url(PAGES, name || 'overview');
		const { origin } = service.streamPlace();

		return {
			page,
			wall: origin ? `${origin}/wall` : null,
			dashboard: page('overview'),
			modems: page('modems'),
			modem: (id, tab) => `${page('modems')}#${new URLSearchParams({ modem: id, tab })}`
		};
	},

	/* Requests keep the login from running out: a tab that nobody sees makes none, unless something that was asked for
	   here is under way, which would be undone if nobody confirmed it. */
	follow() {
		if (this.stopped || (document.hidden && !this.page?.isWaiting))
			this.page?.pause();
		else
			this.page?.resume();
	},

	/* What load() has brought is the first answer. Whoever has something done wants to see what comes of it, so a page
	   that was paused goes on. */
	ask(path, options) {
		const first = this.answers.get(path);

		if (first && (options?.method ?? 'GET') === 'GET') {
			this.answers.delete(path);

			return first instanceof Error ? Promise.reject(first) : Promise.resolve(first);
		}

		if (path !== 'tickets' && (options?.method ?? 'GET') !== 'GET')
			poll.start();

		return service.ask(path, options);
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
};

return baseclass.extend({
	/* What a view extends itself with: `module` is what it mounts, `styles` are its own beside those of all pages. So that
	   they are there at once: `first` is what it asks for beside the state, `lazy` are modules that it loads later, `charts`: it
	   draws some as soon as it can. */
	showing(module, styles = [], { first = [], lazy = [], charts = false } = {}) {
		return { ...frame, module, styles, first, lazy, charts };
	}
});
