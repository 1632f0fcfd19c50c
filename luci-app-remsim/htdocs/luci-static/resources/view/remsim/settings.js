'use strict';
'require form';
'require ui';
'require uci';
'require view';
'require remsim.options as options';
'require remsim.page as page';
'require remsim.service as service';

const CONFIG = 'remsim_console';
const CLIENT = 'remsim';
const TOOLS = ['settings-tools', ['modems', 'settings']];

/* Why a value cannot be used; true when it can. LuCI hands over a list's entries at once. */
function check(option, section, sid, value) {
	for (const text of Array.isArray(value) ? value : [value ?? '']) {
		if (text === '')
			continue;

		if (option.longest && [...text].length > option.longest)
			return _('has more than %d characters').format(option.longest);

		if ((option.pattern && !option.pattern.test(text)) || (option.check && !option.check(text)))
			return option.told;
	}

	if (option.most && Array.isArray(value) && value.length > option.most)
		return _('has more than %d entries').format(option.most);

	if (option.below) {
		const limit = section.formvalue(sid, option.below) || section.defaults[option.below];

		if (Number(value || option.placeholder) >= Number(limit))
			return option.told;
	}

	return true;
}

/* The label that LuCI prints beside a check box is not that box's: screen readers get its name here. */
function named(flag, title) {
	const { renderWidget } = flag;

	flag.renderWidget = function(...args) {
		const node = renderWidget.apply(this, args);

		node.querySelector('input[type="checkbox"]')?.setAttribute('aria-label', title);

		return node;
	};
}

/* The column of the buttons has an empty head in LuCI. */
function headed(section) {
	const { renderHeaderRows } = section;

	section.renderHeaderRows = function(...args) {
		const rows = renderHeaderRows.apply(this, args);

		rows.querySelectorAll('.cbi-section-actions').forEach(cell => cell.append(_('Actions')));

		return rows;
	};
}

/* The field for a new section's name has no label in LuCI. */
function labelled(section) {
	const { renderSectionAdd } = section;

	section.renderSectionAdd = function(...args) {
		const node = renderSectionAdd.apply(this, args);

		node.querySelector('.cbi-section-create-name')?.setAttribute('aria-label', _('Name of the new section'));

		return node;
	};
}

function addOption(section, option, tab) {
	const kind = form[option.kind ?? 'Value'];
	const title = option.unit ? `${option.title} (${option.unit})` : option.title;
	const made = tab ? section.taboption(tab, kind, option.name, title) : section.option(kind, option.name, title);

	/* LuCI takes it for markup: a text of this app's own, nothing from outside. */
	made.description = option.help;
	made.rmempty = !option.needed;
	made.optional = !option.needed && option.kind !== 'ListValue';

	if (option.datatype)
		made.datatype = option.datatype;

	if (option.kind === 'Flag') {
		made.default = option.fallback ?? option.placeholder;
		named(made, title);
	}
	else if (option.kind === 'ListValue')
		made.default = option.placeholder;
	else if (option.placeholder)
		made.placeholder = [].concat(option.placeholder).join(', ');

	for (const [value, title] of Object.entries(option.values ?? {}))
		made.value(value, title);

	if (option.secret)
		made.password = true;

	if (option.depends)
		made.depends(...(Array.isArray(option.depends) ? option.depends : [option.depends, '1']));

	made.validate = (sid, value) => check(option, section, sid, value);

	return made;
}

/* A section there is one of: those that the file lacks are made when something is saved in them. */
function addSection(map, config, type, title, descr, list) {
	if (!uci.sections(config, type).length)
		uci.add(config, type, type);

	const section = map.section(form.TypedSection, type, title, descr);

	section.anonymous = true;
	section.addremove = false;
	section.defaults = Object.fromEntries(list.map(option => [option.name, option.placeholder]));

	const isSplit = list.some(option => option.advanced);

	if (isSplit) {
		section.tab('general', _('General'));
		section.tab('advanced', _('Advanced'));
	}

	for (const option of list)
		addOption(section, option, isSplit ? (option.advanced ? 'advanced' : 'general') : null);

	return section;
}

return view.extend({
	/* Below the forms: export, import and earlier versions, which only the service can do. */
	tools: { ...page.showing(...TOOLS) },

	load() {
		return Promise.all([
			uci.load('remsim_console'),
			L.resolveDefault(uci.load('remsim'), null),
			service.ask('state').catch(() => null),
			this.tools.load().catch(error => error)
		]);
	},

	async render([, client, state, tools]) {
		const nodes = [await this.consoleMap(state).render()];

		if (client)
			nodes.push(await this.clientMap().render(), this.connectionTest(), this.withoutEffect());

		if (Array.isArray(tools))
			nodes.push(this.tools.render(tools));

		return E('div', {}, [...nodes]);
	},

	consoleMap(state) {
		const { service: own, history, web, quality, metrics, esim, modem } = options.SECTIONS;
		const map = new form.Map(CONFIG, _('Settings'), E('span', {}, [
			_('Save & Apply restarts the service, which takes a few seconds; the history stays. Alert rules and the plans of SIMs are on their own pages. Clients of remote SIMs go on meanwhile, but for those that you changed.')
		]));

		map.tabbed = true;
		addSection(map, CONFIG, 'service', _('Service'), null, own);
		this.modems(map, modem, state);
		addSection(map, CONFIG, 'history', _('History'), null, history);
		addSection(map, CONFIG, 'web', _('Web server'), E('span', {}, [
			_('These pages come through LuCI and stay, wherever the service listens; its own pages move to this address.')
		]), web);
		addSection(map, CONFIG, 'quality', _('What counts as good'), E('span', {}, [
			_('For words and colours: from where a level is fair, good, excellent. 5G has the same limits')
		]), quality);
		addSection(map, CONFIG, 'metrics', _('Metrics'), E('span', {}, [
			_('For Prometheus: /metrics, with an API token of the scope metrics')
		]), metrics);
		addSection(map, CONFIG, 'esim', _('eSIM'), null, esim);
		this.remoteSim(map, state);

		return map;
	},

	/* Of remote SIM what is set; how it does and who gets which card is on its own page. In force without a restart. */
	remoteSim(map, state) {
		const { remote_client: client, remsim_server: server, remote_sim: maps, ionmesh } = options.REMOTE;
		const clients = this.named(map, 'remote_client', _('Remote SIM clients'), _('A program a modem that gets its card from elsewhere, eight at most. It is watched, started again when it ends, and has its own log. osmo-remsim-client-openwrt cannot carry a card to the modem: that takes a SIMtrace2 board and osmo-remsim-client-st2.'), client);

		for (const one of state?.modems ?? [])
			clients.get('modem').value(one.usb_path, `${one.usb_path} (${one.name || one.id})`);

		this.named(map, 'remsim_server', _('remsim servers'), _('Whose slot maps are shown and kept'), server);
		addSection(map, CONFIG, 'remote_sim', _('Slot maps'), null, maps);
		addSection(map, CONFIG, 'ionmesh', _('IonMesh'), E('span', {}, [
			_('An orchestrator that says which slot each client gets')
		]), ionmesh);
	},

	/* Sections with names, their options by name. */
	named(map, type, title, descr, list) {
		const section = map.section(form.GridSection, type, title, E('span', {}, [descr]));
		const made = new Map();
		const isSplit = list.some(option => option.advanced);

		headed(section);
		labelled(section);
		section.addremove = true;
		section.nodescriptions = true;
		section.defaults = Object.fromEntries(list.map(option => [option.name, option.placeholder]));
		section.modaltitle = sid => `${title}: ${sid}`;

		if (isSplit) {
			section.tab('general', _('General'));
			section.tab('advanced', _('Advanced'));
		}

		for (const option of list) {
			const one = addOption(section, option, isSplit ? (option.advanced ? 'advanced' : 'general') : null);

			one.modalonly = option.advanced || option.name === 'program' ? true : null;
			made.set(option.name, one);
		}

		return made;
	},

	/* Places are offered as they were found; any other may be typed. */
	modems(map, list, state) {
		const section = map.section(form.GridSection, 'modem', _('Modems'), E('span', {}, [
			_('What a modem does not say here it has from the service')
		]));

		headed(section);
		section.anonymous = true;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add settings for a modem');
		/* LuCI takes tags out of a title and what is left for markup, so only a place stands there, never a name:
		   "<b>&lt;i&gt;</b>" would become some. */
		section.modaltitle = sid => {
			const place = uci.get(CONFIG, sid, 'usb_path');

			return list[0].pattern.test(place ?? '') ? `${_('Modem')} ${place}` : _('New modem');
		};
		section.tab('general', _('General'));
		section.tab('advanced', _('Advanced'));

		for (const option of list) {
			const made = addOption(section, option, option.advanced ? 'advanced' : 'general');

			made.modalonly = ['usb_path', 'name', 'enabled', 'period_s'].includes(option.name) ? null : true;

			if (option.name === 'usb_path') {
				for (const one of state?.modems ?? [])
					made.value(one.usb_path, `${one.usb_path} (${one.name || one.id})`);
			}
		}
	},

	/* Of the client's own file what the client does read. */
	clientMap() {
		const map = new form.Map(CLIENT, _('osmo-remsim client'), E('span', {}, [
			_('The file of the client\'s own package, %s: one client, which its own service runs. The page Remote SIM takes it over into this service, which runs up to eight and watches them.').format('/etc/config/remsim')
		]));
		const titles = {
			service: _('Service'), client: _('Client'), server: _('Server'), modems: _('Modems'), modem1: _('First modem'),
			modem2: _('Second modem'), ionmesh: _('IonMesh'), advanced: _('Events'), monitoring: _('Signal'), logging: _('Log')
		};

		map.tabbed = true;

		for (const [type, list] of Object.entries(options.CLIENT))
			addSection(map, CLIENT, type, titles[type], null, list);

		return map;
	},

	/* Tries what the file says and was applied, not what is typed. */
	connectionTest() {
		const checks = E('ul', {}, []);
		const marks = new Map([[true, _('OK')], [false, _('Failed')], [null, _('Not needed')]]);
		const run = async () => {
			checks.replaceChildren(E('li', {}, [_('Trying …')]));

			try {
				const answer = await service.ask('remote-sim/test', { method: 'POST', body: { file: true } });

				checks.replaceChildren(...answer.checks.map(one => E('li', {}, [
					E('strong', {}, [marks.get(one.ok)]), ` ${one.message}`, one.hint ? ` (${one.hint})` : ''
				])));
			}
			catch (error) {
				checks.replaceChildren(E('li', {}, [error.message]));
			}
		};

		return E('div', { 'class': 'cbi-section', 'id': 'remsim-connection-test' }, [
			E('button', { 'class': 'cbi-button cbi-button-action', 'click': ui.createHandlerFn(this, run) }, [_('Test the connection')]),
			E('div', { 'role': 'status' }, [checks])
		]);
	},

	/* What somebody may have set and wonders about. */
	withoutEffect() {
		const rows = options.WITHOUT_EFFECT
			.map(([section, option, why]) => [`${section}.${option}`, uci.get(CLIENT, section, option), why])
			.filter(([, value]) => value !== null && value !== undefined);

		if (!rows.length)
			return E('div');

		return E('div', { 'class': 'cbi-section' }, [
			E('h3', {}, [_('Set, but without any effect')]),
			E('div', { 'class': 'cbi-section-node', 'id': 'remsim-without-effect' }, [
				...rows.map(([name, value, why]) => E('div', { 'class': 'cbi-value' }, [
					E('label', { 'class': 'cbi-value-title' }, [name]),
					E('div', { 'class': 'cbi-value-field' }, [
						E('div', {}, [String(value)]),
						E('div', { 'class': 'cbi-value-description' }, [why])
					])
				]))
			])
		]);
	}
});
