/** The Settings page: every section as a form, what a change does before it is made, export and import, versions. */

import { el, fill, setText } from './dom.js';
import { Frame } from './frame.js';
import { Review } from './settings-review.js';
import { SectionForms } from './settings-sections.js';
import { Transfer } from './settings-transfer.js';
import { VersionList } from './settings-versions.js';
import { wordsOf } from './settings-words.js';

const AGAIN_MS = 1000;
const RESTART_S = 60;

/** Mount the Settings page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new SettingsPage(node, options);
	await page.start();
	return page;
}

class SettingsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-settings');
		const { t, readonly } = this.options;
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.waiting = el('section.remsim-note', { 'aria-label': t('Restart'), hidden: true });
		this.wrong = el('section.remsim-panel.remsim-wrong', { 'aria-label': t('Values that cannot be used'), hidden: true });
		this.forms = new SectionForms({ t, isReadonly: readonly, store: this.store, changed: () => this._changed(), submit: () => this.look() });
		this.review = new Review({ t, words: path => wordsOf(path, this.types, t), apply: restarts => this._apply(restarts), closed: () => this._closed() });
		this.count = el('strong', { role: 'status' });
		this.lookButton = el('button.remsim-primary', { type: 'button', click: () => this.look() }, t('Review changes'));
		this.bar = el('div.remsim-savebar', { role: 'region', 'aria-label': t('Changes'), hidden: true }, this.count, this.lookButton,
			el('button', { type: 'button', click: () => this._discard() }, t('Discard changes')));
		this.transfer = new Transfer({ t, request: this.options.request, isReadonly: readonly, chosen: document => this._import(document) });
		this.versions = new VersionList({ t, request: this.options.request, isReadonly: readonly, store: this.store, words: path => wordsOf(path, this.types, t), rolledBack: answer => this._written(t('Rolled back.'), answer) });
		const page = this.options.links.page;
		this.elsewhere = el('p.remsim-help', {}, t('Alert rules and channels are on their own page, plans of SIMs on the page Usage.'), ' ',
			page ? [el('a', { href: page('alerts') }, t('Alerts')), ' · ', el('a', { href: page('usage') }, t('Usage'))] : null);
		fill(this.body, this.failed, this.waiting, this.wrong, this.review.root, this.main = el('div.remsim-stack', {}, this.forms.root, this.elsewhere, this.transfer.root, this.versions.root), this.bar);
		this.types = [];
		this._leaving = event => { if (this.forms.count) event.preventDefault(); };
		window.addEventListener('beforeunload', this._leaving);
	}

	destroy() {
		clearTimeout(this._timer);
		window.removeEventListener('beforeunload', this._leaving);
		super.destroy();
	}

	get isWaiting() {
		return super.isWaiting || !!this._restarting;
	}

	changed() {
		this._loaded ||= this._load();
		this.forms.placesChanged();
	}

	async _load() {
		const { request } = this.options;
		try {
			if (!this.types.length) {
				const { types } = await request('config/form');
				this.types = types;
			}
			this._take(await request('config', { query: { types: this._own().join(',') } }));
			this.failed.hidden = true;
			this.main.hidden = false;
		} catch (error) {
			this._fail(error);
		}
	}

	/** The types that are edited here. */
	_own() {
		return this.types.filter(type => !type.page).map(type => type.type);
	}

	_take(config) {
		const { t } = this.options;
		this.config = config;
		this.forms.show(this.types.filter(type => !type.page), config.sections);
		this.wrong.hidden = !config.problems.length;
		fill(this.wrong, el('h2', {}, t('Some values cannot be used')), el('p', {}, t('Their defaults are in force. Saving the section mends it.')), el('ul', {}, config.problems.map(text => el('li', {}, text))));
		this._showWaiting(config);
		this.versions.stale();
		this._changed();
	}

	_showWaiting({ restart_needed: names, needs_init: hard }) {
		const { t, readonly } = this.options, soft = names.filter(name => !hard.includes(name));
		this.waiting.hidden = !names.length;
		fill(this.waiting,
			soft.length ? el('p', {}, t('Saved, and in force after a restart of the service: %s.', this._named(soft))) : null,
			soft.length && !readonly ? el('button.remsim-primary', { type: 'button', click: () => this.restart() }, t('Restart the service')) : null,
			hard.length ? el('p', {}, t('Saved, and in force when all of the service is started anew, on the router: %s.', this._named(hard)), ' ', el('code', {}, '/etc/init.d/remsim-console restart')) : null);
	}

	_named(paths) {
		return paths.map(path => wordsOf(path, this.types, this.options.t)).join(', ');
	}

	_fail(error) {
		const { t } = this.options;
		this.failed.hidden = false;
		fill(this.failed, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => { this._loaded = this._load(); } }, t('Try again')));
		this.forms.root.hidden = !this.config;
		if (!this.config)
			this.versions.open(); // a file that cannot be read is mended by an earlier one
	}

	_changed() {
		const { t } = this.options, { count } = this.forms;
		this.forms.root.hidden = false;
		this.bar.hidden = !count || !this.review.root.hidden;
		setText(this.count, count === 1 ? t('1 section changed') : t('%s sections changed', count));
	}

	_discard() {
		this.forms.reset();
		this._changed();
	}

	_say(text) {
		setText(this.told, text);
	}

	/** Ask what the changes would do, and show it. */
	async look() {
		const wrong = this.forms.complain();
		if (wrong)
			return;
		await this._check(this.forms.document(this._own()), false);
	}

	async _import(document) {
		await this._check(document, true);
	}

	async _check(document, isImport) {
		const { request } = this.options;
		this.lookButton.disabled = true;
		this._say('');
		try {
			const outcome = await request('config/check', { method: 'POST', body: document });
			this._document = document;
			this._isImport = isImport;
			this.failed.hidden = true;
			this.review.show(outcome, this._types(outcome));
			this.bar.hidden = true;
			this.main.hidden = true;
		} catch (error) {
			if (isImport)
				this.transfer.refuse(error);
			else if (!this.forms.refuse(error))
				this._fail(error);
		} finally {
			this.lookButton.disabled = false;
		}
	}

	/** What of a change waits for a restart: `service`, `init`, null. */
	_types(outcome) {
		const before = this.config.restart_needed, fresh = outcome.restart_needed.filter(name => !before.includes(name));
		return { soft: fresh.filter(name => !outcome.needs_init.includes(name)), hard: fresh.filter(name => outcome.needs_init.includes(name)) };
	}

	_closed() {
		this.main.hidden = false;
		this._changed();
		(this.bar.hidden ? this.root : this.lookButton).focus?.();
	}

	async _apply(restarts) {
		const { t, request } = this.options;
		const answer = this._isImport
			? await request('config/import', { method: 'POST', body: this._document, query: { etag: this.config.etag } })
			: await request('config', { method: 'PUT', body: this._document, query: { etag: this.config.etag } });
		this.review.hide();
		this.main.hidden = false;
		await this._written(t('Saved.'), answer);
		if (restarts)
			await this.restart();
	}

	async _written(text) {
		this.forms.forget();
		await this._load();
		this._say(text);
		await this.options.refresh?.();
	}

	/** Start the service anew and wait until it answers with its new life. */
	async restart() {
		const { t, request } = this.options;
		this._restarting = true;
		this._say(t('The service is restarting. This page goes on by itself.'));
		try {
			const before = (await request('state')).started_at;
			await request('service/restart', { method: 'POST' });
			const end = Date.now() + RESTART_S * 1000;
			for (;;) {
				await new Promise(resolve => { this._timer = setTimeout(resolve, AGAIN_MS); });
				const state = await request('state').catch(() => null);
				if (state && state.started_at !== before)
					break;
				if (Date.now() > end)
					throw new Error(t('The service does not answer yet. Look at its log on the router: logread -e remsim'));
			}
			await this._load();
			this._say(t('The service has restarted.'));
		} catch (error) {
			this._say('');
			this._fail(error);
		} finally {
			this._restarting = false;
		}
	}
}
