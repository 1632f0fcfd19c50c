/** The card in one modem or reader: its profiles, its room, what its operators have not been told, and what is being done to it. */

import { ask } from './ask.js';
import { askForm } from './esim-ask.js';
import { pathOf } from './esim-data.js';
import { JobPanel } from './esim-job.js';
import { profileItem, switchTo } from './esim-profile.js';
import { OPERATION_WORDS, endOf, sentence } from './esim-words.js';
import { el, fill, setText } from './dom.js';
import { bytes, count, epoch, lasting, moment } from './format.js';
import { isRunning } from './jobs.js';
import { ModemChip } from './modem-chip.js';
import { msg } from './words.js';

const HOST = '^(?:[A-Za-z0-9](?:[A-Za-z0-9.\\-]{0,250}[A-Za-z0-9])?(?::[0-9]{1,5})?)?$';
const RESET = [['operational', msg('Profiles of operators')], ['test', msg('Test profiles that were loaded later')], ['smdp', msg('The default server address')]];

export class HolderCard {
	/** `ctx` of esim.js. */
	constructor(ctx, holder) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, id: holder.id });
		this.chip = new ModemChip(t);
		this.name = el('b');
		this.heading = el('h2', {}, this.chip.root, this.name);
		this.state = el('p.remsim-esim-state');
		this.age = el('span.remsim-muted');
		this.add = el('a.remsim-button.remsim-primary', {}, t('Add a profile'));
		this.read = el('button', { type: 'button', click: () => this.readCard() });
		this.tools = el('div.remsim-tools', {}, this.add, this.read, this.age);
		this.problem = el('div', { hidden: true });
		this.job = new JobPanel(ctx, { act: (name, job) => this.act(name, job), switchTo: id => this.switchTo(id) });
		this.profiles = el('ul.remsim-esim-profiles', { 'aria-label': t('Profiles') });
		this.waiting = el('section.remsim-esim-waiting', { hidden: true, 'aria-label': t('Operators that are still to be told') });
		this.more = el('details.remsim-esim-details', { hidden: true, toggle: () => { if (this.more.open) this._openIot(); } }, el('summary', {}, t('About this card')), this.facts = el('dl.remsim-facts'), this.server = el('div'), this.iot = el('div'), this.danger = el('div'));
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.root = el('article.remsim-panel.remsim-esimcard', { 'data-holder': holder.id }, el('header', {}, this.heading, this.state), this.tools, this.problem, this.error, this.job.root, this.profiles, this.waiting, this.more);
	}

	update(holder) {
		const { t, store, options, data, address } = this._ctx;
		const modem = holder.kind === 'modem' ? store.modems.get(holder.id) : null, shown = data.jobAt(holder.id), job = shown && shown.ended_at && shown.kind === 'esim-read' && shown.error === holder.problem?.message ? null : shown;
		this.holder = holder;
		const runs = !!job && isRunning(job), isBusy = runs || !!holder.job && holder.job !== job?.id, isEuicc = holder.state !== 'no_euicc', isGone = modem?.state === 'gone';
		this.root.setAttribute('aria-label', holder.name);
		this.chip.root.hidden = !modem;
		this.name.hidden = !!modem;
		setText(this.name, holder.name);
		if (modem)
			this.chip.update(modem);
		setText(this.state, this._sentence(holder, isGone));
		this.state.className = `remsim-esim-state${holder.state === 'ready' ? '' : ' remsim-muted'}`;
		this.add.hidden = !isEuicc || options.readonly || isGone;
		this.add.href = address('add', { holder: holder.id });
		this.read.hidden = options.readonly || isGone;
		this.read.disabled = isBusy;
		setText(this.read, holder.read_at || holder.problem ? t('Read it anew') : t('Read the card'));
		this._problem(holder, modem, isGone);
		this.job.update(job);
		this._profiles(holder, isBusy || isGone);
		this._waiting(holder, isBusy || isGone);
		this._more(holder, isBusy || isGone);
		this.tick();
	}

	tick() {
		const { t, store } = this._ctx, { holder } = this;
		setText(this.age, holder?.read_at ? t('read %s ago', lasting(Math.max(0, store.now() - epoch(holder.read_at)))) : '');
		this.job.tick();
	}

	_sentence(holder, isGone) {
		const { t } = this._ctx, { profiles, euicc } = holder, on = profiles.find(one => one.state === 'enabled');
		if (isGone)
			return t('This modem is unplugged; what follows is what its card had.');
		if (holder.state === 'reading')
			return t('The card is being read …');
		if (holder.state === 'no_euicc')
			return t('The card in use is no eSIM.');
		if (holder.state === 'unread')
			return t('Not read yet. Reading it takes a few seconds and cuts nothing.');
		const room = euicc && Number.isFinite(euicc.free_bytes) ? t('%s free', bytes(euicc.free_bytes)) : '';
		if (!holder.read_at)
			return t('Could not be read.');
		const has = !profiles.length ? t('No profile yet') : on ? t('%s in use, %s on the card', on.name, profiles.length) : t('No profile in use, %s on the card', profiles.length);
		return [has, room].filter(Boolean).join(' · ');
	}

	_problem(holder, modem, isGone) {
		const { t, options } = this._ctx, { problem } = holder, sim = options.links.modem?.(holder.id, 'sim');
		const told = JSON.stringify([problem, holder.state, isGone, holder.managed_by]);
		if (told === this._problemTold)
			return;
		this._problemTold = told;
		const parts = [];
		if (holder.state === 'no_euicc' && modem)
			parts.push(el('p', {}, problem?.hint ? sentence(problem.hint) : t('If this modem has an eSIM in another slot, or soldered in, switch the slot; or put a removable eSIM card in.'), ' ', sim ? el('a', { href: sim }, t('Slots of this modem')) : null));
		else if (problem && !isGone)
			parts.push(el('p.remsim-problem', {}, el('strong', {}, sentence(problem.message)), problem.hint ? ` ${sentence(problem.hint)}` : ''));
		if (holder.managed_by)
			parts.push(el('p.remsim-note', {}, t('Managed by the eIM %s: what is done here may be refused by the card, or undone from there.', holder.managed_by)));
		this.problem.hidden = !parts.length;
		fill(this.problem, parts);
	}

	_profiles(holder, isBusy) {
		const { t } = this._ctx, told = JSON.stringify([holder.profiles, isBusy, holder.state]);
		if (told === this._profilesTold || this.profiles.querySelector('details[open]')?.contains(document.activeElement))
			return;
		this._profilesTold = told;
		const open = [...this.profiles.querySelectorAll('[data-profile]:has(details[open])')].map(one => one.dataset.profile);
		this.profiles.hidden = !holder.profiles.length;
		fill(this.profiles, holder.profiles.map(profile => profileItem(this._ctx, holder, profile, isBusy)));
		this.profiles.querySelectorAll('[data-profile] details').forEach(one => { one.open = open.includes(one.closest('[data-profile]').dataset.profile); });
		if (!holder.profiles.length && holder.state === 'ready') {
			this.profiles.hidden = false;
			fill(this.profiles, el('li.remsim-absent', {}, t('This card has no profile. Scan the code of your operator to add one.')));
		}
	}

	_waiting(holder, isBusy) {
		const { t, store, options } = this._ctx, rows = holder.notifications || [], told = JSON.stringify([rows, isBusy]);
		if (told === this._waitingTold)
			return;
		this._waitingTold = told;
		this.waiting.hidden = !rows.length;
		const nameOf = id => holder.profiles.find(one => one.id === id)?.name || t('a profile');
		fill(this.waiting, el('h3', {}, t('Operators that are still to be told')), el('p.remsim-help', {}, t('An operator that is not told of a delete may not give the profile out again.')),
			el('ul.remsim-plainlist', {}, rows.map(row => el('li.remsim-esim-found', {}, el('span', {}, t('%s: %s was %s', row.address, nameOf(row.profile), t(OPERATION_WORDS[row.operation] || row.operation))),
				row.tries ? el('span.remsim-muted', {}, [t('tried %s times', count(row.tries)), row.next_try_at && t('next try %s', moment(epoch(row.next_try_at), store.now(), false))].filter(Boolean).join(' · ')) : null,
				row.problem ? el('span.remsim-problem', {}, sentence(row.problem.message)) : null,
				options.readonly ? null : el('button.remsim-small', { type: 'button', disabled: isBusy, 'aria-label': t('Stop trying: %s', row.address), click: () => this._giveUp(row) }, t('Stop trying'))))),
			options.readonly ? null : el('div.remsim-submit', {}, el('button', { type: 'button', disabled: isBusy, click: () => this._do(() => this._ctx.data.begin(pathOf(this.id, '/notifications'))) }, t('Tell them now'))));
	}

	_more(holder, isBusy) {
		const { t, options } = this._ctx, { euicc } = holder, told = JSON.stringify([euicc, holder.eid, holder.way, isBusy, holder.state]);
		this.more.hidden = !euicc;
		if (!euicc || told === this._moreTold)
			return;
		this._moreTold = told;
		const rows = [
			['EID', holder.eid], [t('Reached by'), holder.way], [t('Free for profiles'), Number.isFinite(euicc.free_bytes) && bytes(euicc.free_bytes)], [t('Free working memory'), Number.isFinite(euicc.free_ram_bytes) && bytes(euicc.free_ram_bytes)],
			[t('SGP.22 version'), euicc.svn], [t('Firmware'), euicc.firmware], [t('Profile package version'), euicc.profile_version], [t('Category'), euicc.category], [t('Platform'), euicc.platform], [t('Accreditation'), euicc.sas],
			[t('Discovery server (SM-DS)'), euicc.root_smds], [t('Trusts the keys'), (euicc.roots || []).map(one => one.slice(0, 8)).join(', ')], [t('Policies it forbids'), (euicc.forbidden_policy || []).join(', ')], [t('Can do'), (euicc.capabilities || []).join(', ').replaceAll('_', ' ')]
		].filter(([, value]) => value);
		this.eid = el('dd', {}, endOf(holder.eid));
		fill(this.facts, rows.map(([name, value]) => el(value.length > 60 ? 'div.remsim-esim-wide' : 'div', {}, el('dt', {}, name), name === 'EID' ? this.eid : el('dd', {}, value))));
		fill(this.server, el('div.remsim-tools', {},
			holder.kind === 'modem' && holder.eid ? el('button', { type: 'button', click: () => this.showEid() }, t('Show the EID in full')) : null,
			options.readonly ? null : el('button', { type: 'button', disabled: isBusy, click: () => this.discover() }, t('Look for waiting profiles')),
			options.readonly ? null : el('button', { type: 'button', disabled: isBusy, click: () => this._setServer() }, t('Default server …'))),
		el('p.remsim-help', {}, euicc.default_smdp ? t('Default server (SM-DP+): %s', euicc.default_smdp) : t('No default server (SM-DP+) is set: each download needs a code.')));
		fill(this.danger, options.readonly ? null : el('details.remsim-dangerzone', {}, el('summary', {}, t('Memory reset')), el('p', {}, t('Deletes all profiles of a kind from the card, for good. What operators have sold is lost.')), el('p.remsim-submit', {}, el('button.remsim-danger', { type: 'button', disabled: isBusy, click: () => this._reset() }, t('Clear this card …')))));
	}

	/** What few cards have is loaded when somebody looks. */
	async _openIot() {
		this._iot ||= import('./esim-iot.js').then(({ IotPanel }) => new IotPanel(this._ctx, this.id));
		const panel = await this._iot;
		if (!panel.root.isConnected)
			fill(this.iot, panel.root);
	}

	/** A job ended. */
	async worked(job) {
		(await this._iot)?.worked(job);
	}

	readCard() {
		return this._do(() => this._ctx.data.begin(pathOf(this.id, '/read')));
	}

	discover() {
		return this._do(() => this._ctx.data.begin(pathOf(this.id, '/discover')));
	}

	/** Ask how; a profile that has just come may not be in the list yet. */
	async switchTo(profileId) {
		const find = () => this.holder.profiles.find(one => one.id === profileId);
		if (!find())
			await this._ctx.data.load();
		if (find())
			await switchTo(this._ctx, this.holder, find());
		else
			await this._do(async () => { throw new Error(this._ctx.t('The card has no such profile now: read it anew.')); });
	}

	/** What a failure's button does. */
	act(name, job) {
		const { data, options, address } = this._ctx, sent = data.sentFor(job), go = where => { location.href = where; };
		const again = () => {
			if (job.kind === 'esim-download' && sent)
				return this._do(() => data.download(this.id, Object.fromEntries(Object.entries(sent).filter(([key]) => key !== 'holder'))));
			if (job.kind === 'esim-switch' && sent?.profile)
				return this.switchTo(sent.profile);
			return { 'esim-read': () => this.readCard(), 'esim-discover': () => this.discover(), 'esim-notifications': () => this._do(() => data.begin(pathOf(this.id, '/notifications'))) }[job.kind]?.() || this._aside(job);
		};
		const acts = {
			again, confirm: again,
			other: () => { location.hash = address('add', { holder: this.id }); },
			lab: () => { location.hash = address('add', { holder: this.id, again: job.id, lab: 1 }); },
			card: () => { location.hash = address('add', { again: job.id }); },
			fetch: () => this._do(() => data.download(this.id, { code_id: job.code_id })),
			read: () => this._aside(job) || this.readCard(),
			delete: () => this._toProfiles(), installed: () => this._toProfiles(), plan: () => this._toProfiles(),
			eid: () => this.showEid(),
			clock: () => go(options.links.page('diagnostics')), report: () => go(options.links.page('diagnostics')), settings: () => go(options.links.page('settings')),
			restart: () => go(options.links.modem(this.id, 'settings')), slot: () => go(options.links.modem(this.id, 'sim')), sim: () => go(options.links.modem(this.id, 'signal'))
		};
		return acts[name]();
	}

	_aside(job) {
		this._ctx.data.close(job);
		this._ctx.show();
	}

	_toProfiles() {
		this.profiles.scrollIntoView({ block: 'nearest' });
		(this.profiles.querySelector('summary') || this.profiles.querySelector('button'))?.focus({ preventScroll: true });
	}

	/** The whole EID, with a right of its own. */
	async showEid() {
		const { t, request } = this._ctx;
		await this._do(async () => {
			const numbers = await request(`modems/${encodeURIComponent(this.id)}/identifiers`).catch(error => { throw error.status === 403 ? new Error(t('Your login may not see identifiers in full (scope identifiers).')) : error; });
			if (!numbers.eid)
				throw new Error(t('The modem does not tell its card’s EID; it stands on the card or its box.'));
			this.more.open = true;
			setText(this.eid, numbers.eid);
			this.eid.tabIndex = -1;
			this.eid.focus();
		});
	}

	_setServer() {
		const { t, data } = this._ctx;
		return askForm(this._ctx, {
			title: t('Default server of this card'), submitLabel: t('Save'), texts: [t('Where the card asks for a profile when there is no code. Empty: nowhere.')],
			schema: { properties: { address: { type: 'string', maxLength: 253, pattern: HOST, 'x-told': msg('is not a host’s name'), title: msg('SM-DP+ address'), default: this.holder.euicc?.default_smdp || '' } } },
			submit: values => data.begin(pathOf(this.id, '/default-smdp'), { method: 'PUT', body: { address: values.address || '' } })
		});
	}

	_reset() {
		const { t, data } = this._ctx, properties = Object.fromEntries(RESET.map(([name, title]) => [name, { type: 'boolean', title, default: name === 'operational' }]));
		return askForm(this._ctx, {
			title: t('Clear the card of %s?', this.holder.name), submitLabel: t('Clear it for good'), danger: true,
			texts: [t('This cannot be undone: a profile cannot be copied, and most operators do not give it out twice. %s has no service afterwards.', this.holder.name), t('The EID is under “Show the EID in full”, and on the card or its box.')],
			schema: { properties: { ...properties, eid: { type: 'string', minLength: 32, maxLength: 40, title: msg('To clear it, type the card’s whole EID') } }, required: ['eid'] },
			submit: values => data.begin(pathOf(this.id, '/memory-reset'), { body: values })
		});
	}

	async _giveUp(row) {
		const { t, root, data } = this._ctx;
		if (await ask(root, { title: t('Do not tell %s?', row.address), texts: [t('The operator does not learn of it, and may not give the profile out again.')], yes: t('Stop trying'), t }))
			this._do(() => data.begin(pathOf(this.id, `/notifications/${row.seq}`), { method: 'DELETE', body: { sure: true } }));
	}

	async _do(work) {
		this.error.hidden = true;
		try {
			await work();
			this._ctx.show();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
		}
	}
}
