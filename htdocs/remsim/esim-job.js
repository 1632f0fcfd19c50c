/** What is being done to a card: the steps, the question before a download, and how it ended, each failure with one thing to press. */

import { el, fill, mark, setText } from './dom.js';
import { bytes, clock, duration, epoch, number } from './format.js';
import { ACTS, CLASS_WORDS, POLICY_WORDS, endOf, failureOf, sentence, stepsOf } from './esim-words.js';
import { ProfileIcon } from './esim-icon.js';
import { isRunning } from './jobs.js';
import { msg } from './words.js';

const TITLES = {
	'esim-read': msg('Reading the card'), 'esim-download': msg('Downloading a profile'), 'esim-discover': msg('Asking what waits for this card'), 'esim-switch': msg('Switching'), 'esim-delete': msg('Deleting a profile'),
	'esim-nickname': msg('Renaming a profile'), 'esim-notifications': msg('Telling operators'), 'esim-default-smdp': msg('Setting the default server'), 'esim-reset': msg('Clearing the card'), 'esim-restore': msg('Putting a backup back'), 'esim-iot': msg('Asking about management from afar')
};

/** Codes of what nobody needs to be told of in red. */
const CALM = ['declined', 'consent_timeout'];

export class JobPanel {
	/** `ctx` of esim.js; `acts`: what to do for each of ACTS, act(name, job); `switchTo(profileId)`. */
	constructor(ctx, { act, switchTo }) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _act: act, _switchTo: switchTo, job: null });
		this.title = el('h3', { tabindex: '-1' });
		this.elapsed = el('span.remsim-muted');
		this.steps = el('ol.remsim-esim-steps');
		this.now = el('span', { role: 'status' });
		this.part = el('span', { 'aria-hidden': 'true' }); // the bar says it too: nobody wants each percent read out
		this.nowLine = el('p.remsim-esim-now', {}, this.now, this.part);
		this.bar = el('progress.remsim-esim-bar', { max: 1, 'aria-label': t('Progress') });
		this.question = el('div', { hidden: true });
		this.outcome = el('div.remsim-esim-outcome', { role: 'alert' });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.abort = el('button', { type: 'button', click: () => this._abort() });
		this.root = el('section.remsim-esim-job', { hidden: true, 'aria-label': t('What is being done') },
			el('header.remsim-tools', {}, this.title, this.elapsed), this.steps, this.nowLine, this.bar, this.question, this.outcome, this.error, this.abort);
	}

	update(job) {
		this.root.hidden = !job;
		if (!job) {
			this.job = null;
			return;
		}
		const { t, options } = this._ctx, isNew = job.id !== this.job?.id, runs = isRunning(job);
		if (isNew) {
			this._at = -1;
			this._asked = this._ended = null;
			this.error.hidden = true;
			fill(this.outcome);
		}
		this.job = job;
		const isCalm = job.state === 'aborted' || CALM.includes(job.code); // somebody wanted it so
		this.root.className = `remsim-esim-job remsim-esim-job-${isCalm ? 'aborted' : job.state}`;
		setText(this.title, TITLES[job.kind] ? t(TITLES[job.kind]) : job.title || job.kind);
		this._showSteps(job, runs);
		if (isCalm)
			this.steps.hidden = true;
		this._showQuestion(job);
		this.abort.hidden = !runs || !job.can_abort || !!options.readonly || job.state === 'asking';
		setText(this.abort, job.kind === 'esim-switch' ? t('Go back now') : t('Abort'));
		if (!runs && this._ended !== job.ended_at) {
			this._ended = job.ended_at;
			this._showOutcome(job);
		}
		this.tick();
	}

	/** Once a second. */
	tick() {
		const { job } = this;
		if (!job)
			return;
		const end = job.ended_at ? epoch(job.ended_at) : this._ctx.store.now();
		setText(this.elapsed, duration(Math.max(0, end - epoch(job.started_at))));
		if (this.until && job.confirm_by)
			setText(this.until, this._ctx.t('Without an answer it ends at %s.', clock(epoch(job.confirm_by))));
	}

	focus() {
		this.title.focus();
		this.root.scrollIntoView({ block: 'nearest' });
	}

	_showSteps(job, runs) {
		const { t } = this._ctx, { at, rows } = stepsOf(job, job.state === 'asking' ? -1 : this._at);
		this._at = at;
		const told = JSON.stringify(rows);
		this.steps.hidden = !rows.length || job.state === 'done';
		if (told !== this._stepsTold) {
			const marks = { done: ['✓', t('done')], now: ['●', t('now')], later: ['○', t('to come')], failed: ['✖', t('ended here')] };
			fill(this.steps, rows.map(({ word, look }) => el(`li.remsim-esim-step-${look}`, { 'aria-current': look === 'now' ? 'step' : null }, el('span', { 'aria-hidden': 'true' }, `${marks[look][0]} `), t(word), el('span.remsim-said', {}, ` (${marks[look][1]})`))));
		}
		this._stepsTold = told;
		const here = rows.find(row => row.look === 'now'), part = job.progress === null || job.progress === undefined ? '' : `${number(job.progress * 100)}\u202f%`;
		this.nowLine.hidden = !runs || job.state === 'asking';
		setText(this.now, here && here.step === job.step ? t(here.word) : sentence(t(job.step || msg('beginning'))).replace(/\.$/, ''));
		setText(this.part, part ? `: ${part}` : ' …');
		this.bar.hidden = !runs || job.state === 'asking';
		if (part)
			this.bar.value = job.progress;
		else
			this.bar.removeAttribute('value');
		mark(this.bar, 'aria-valuetext', part || t('under way'));
	}

	_showQuestion(job) {
		const { question } = job, { options } = this._ctx;
		this.question.hidden = job.state !== 'asking' || !question;
		if (this.question.hidden) {
			this._asked = null;
			return;
		}
		const told = JSON.stringify([question, job.confirm_by]);
		if (told === this._asked)
			return;
		this._asked = told;
		fill(this.question, this._consent(question));
		this.tick();
		if (!options.readonly)
			(this.code || this.accept).focus({ preventScroll: true });
	}

	_consent({ profile = {}, memory = {}, confirmation_code_required: needsCode, wrong_code: isWrong }) {
		const { t, options } = this._ctx, free = memory?.free_bytes;
		const facts = [
			[t('Operator'), [profile.provider, profile.owner].filter(Boolean).join(' · ')], [t('Kind'), CLASS_WORDS[profile.class] && t(CLASS_WORDS[profile.class])], ['ICCID', endOf(profile.iccid)],
			[t('Size'), profile.size_bytes && bytes(profile.size_bytes)], [t('Free on the card'), Number.isFinite(free) && bytes(free)]
		].filter(([, value]) => value);
		this.until = el('p.remsim-help');
		this.code = needsCode ? el('input', { type: 'text', id: `remsim-esim-confirmation-${this.job.id}`, autocomplete: 'one-time-code', autocapitalize: 'off', spellcheck: 'false', maxlength: 64, 'aria-invalid': isWrong ? 'true' : null, 'aria-describedby': `remsim-esim-confirmation-${this.job.id}-help`, disabled: !!options.readonly }) : null;
		this.accept = el('button.remsim-primary', { type: 'submit' }, t('Download it'));
		const decline = el('button', { type: 'button', click: () => this._answer({ accept: false }) }, t('Do not download'));
		return el('form.remsim-esim-consent', { novalidate: true, 'aria-label': t('Is this the profile you want?'), submit: event => { event.preventDefault(); this._accept(); } },
			el('h4', {}, t('Is this the profile you want?')),
			el('div.remsim-esim-offer', {}, new ProfileIcon(profile).root, el('strong', {}, profile.name || t('A profile without a name'))),
			el('dl.remsim-facts', {}, facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
			(profile.policy || []).map(one => el('p.remsim-note', {}, POLICY_WORDS[one] ? t(POLICY_WORDS[one]) : one)),
			memory?.is_short ? el('p.remsim-note', {}, t('The card has little room left: it may not hold this profile.')) : null,
			needsCode ? el('div.remsim-field', {}, el('label', { for: this.code.id }, t('Confirmation code')), isWrong ? el('p.remsim-problem', { role: 'alert' }, t('That confirmation code is wrong.')) : null, this.code, el('p.remsim-help', { id: `${this.code.id}-help` }, t('From the operator, beside the activation code. After a few wrong ones the operator blocks the order.'))) : null,
			options.readonly ? el('p.remsim-help', {}, t('Somebody who may change settings has to answer.')) : el('div.remsim-submit', {}, this.accept, decline), this.until);
	}

	_accept() {
		const { t } = this._ctx, code = this.code?.value.trim();
		if (this.code && !code) {
			this.code.setAttribute('aria-invalid', 'true');
			this.code.focus();
			this._refused(new Error(t('Type the confirmation code.')));
			return;
		}
		this._answer({ accept: true, ...(code ? { confirmation_code: code } : {}) });
	}

	async _answer(body) {
		const { request, store, keeper } = this._ctx, controls = this.question.querySelectorAll('button, input');
		this.error.hidden = true;
		controls.forEach(one => { one.disabled = true; });
		try {
			keeper.own(this.job); // whoever answers wants to see what comes of it
			store.takeJob(await request(`jobs/${this.job.id}/answer`, { method: 'POST', body }));
			this.title.focus({ preventScroll: true });
		} catch (error) {
			this._refused(error);
			controls.forEach(one => { one.disabled = false; });
		}
	}

	async _abort() {
		this.error.hidden = true;
		this.abort.disabled = true;
		try {
			await this._ctx.request(`jobs/${this.job.id}/abort`, { method: 'POST' });
		} catch (error) {
			this._refused(error);
		}
		this.abort.disabled = false;
	}

	_refused(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
	}

	_showOutcome(job) {
		const { t, options, data } = this._ctx;
		const close = el('button', { type: 'button', click: () => this._close() }, job.kind === 'esim-download' && job.state === 'done' && !job.result?.enabled ? t('Not now') : t('Close'));
		if (job.state === 'done') {
			fill(this.outcome, this._good(job, close));
			return;
		}
		if (job.state === 'aborted' || CALM.includes(job.code)) {
			const { text, hint } = failureOf(job, t);
			fill(this.outcome, el('p', {}, el('strong', {}, CALM.includes(job.code) ? text : sentence(job.error) || t('It was aborted.')), hint ? ` ${hint}` : ''),
				el('div.remsim-submit', {}, job.code === 'consent_timeout' && !options.readonly ? el('button.remsim-primary', { type: 'button', click: () => this._act('again', job) }, t(ACTS.again)) : null, close));
			return;
		}
		const { text, hint, raw, act } = failureOf(job, t), sent = data.sentFor(job), name = act === 'again' && job.kind === 'esim-download' && !sent ? 'other' : act;
		fill(this.outcome, el('p', {}, el('strong.remsim-problem', {}, text), raw ? [' ', el('small.remsim-esim-raw', {}, `(${raw})`)] : null), hint ? el('p', {}, hint) : null,
			el('div.remsim-submit', {}, options.readonly ? null : el('button.remsim-primary', { type: 'button', 'data-act': name, click: () => this._act(name, job) }, t(ACTS[name])), close));
	}

	_close() {
		this._ctx.data.close(this.job);
		this._ctx.show();
	}

	/** What came of it, and what is next. */
	_good(job, close) {
		const { t, options } = this._ctx, result = job.result || {}, waits = result.notifications_waiting;
		const later = waits || waits === null ? el('p.remsim-help', {}, t('The operator could not be told yet; it is tried again by itself.')) : null;
		const notes = (result.notes || []).map(note => el('p.remsim-note', {}, sentence(note)));
		if (job.kind === 'esim-download' && !result.enabled)
			return [el('p', {}, el('strong.remsim-good', {}, `✓ ${t('%s is on the card.', result.name || '')}`)), notes, later, options.readonly ? null : el('p', {}, t('Switch to it now?')),
				el('div.remsim-submit', {}, options.readonly ? null : el('button.remsim-primary', { type: 'button', 'data-act': 'switch', click: () => this._switchTo(result.profile) }, t('Switch to it')), close)];
		if (job.kind === 'esim-switch' || job.kind === 'esim-download')
			return [el('p', {}, el('strong.remsim-good', {}, `✓ ${this._switched(result)}`)), notes, later, el('div.remsim-submit', {}, close)];
		if (job.kind === 'esim-discover')
			return [this._found(result.entries || []), el('div.remsim-submit', {}, close)];
		const words = { 'esim-delete': t('%s is deleted.', result.name || ''), 'esim-notifications': waits ? t('%s could not be told yet.', waits) : waits === null ? t('Done.') : t('All operators are told.'), 'esim-reset': (result.cleared || []).length ? t('The card is cleared.') : t('There was nothing to clear.') };
		return [el('p', {}, el('strong.remsim-good', {}, `✓ ${words[job.kind] || t('Done.')}`)), later, el('div.remsim-submit', {}, close)];
	}

	_switched({ name = '', registered, enabled }) {
		const { t } = this._ctx;
		if (enabled === false)
			return t('%s is disabled.', name);
		return registered ? t('%s is in use, and the network has taken it.', name) : t('%s is enabled.', name);
	}

	_found(entries) {
		const { t, options } = this._ctx;
		if (!entries.length)
			return el('p', {}, el('strong', {}, t('No profile waits for this card.')), ' ', t('Use the activation code of your operator.'));
		return [el('p', {}, el('strong.remsim-good', {}, `✓ ${t('Profiles found: %s', entries.length)}`)), el('ul.remsim-plainlist', {}, entries.map(entry => el('li.remsim-esim-found', {}, el('span', {}, entry.smdp_address), ' ', el('span.remsim-muted', {}, endOf(entry.event_id)),
			options.readonly ? null : el('button.remsim-primary', { type: 'button', click: () => this._act('fetch', { ...this.job, code_id: entry.code_id }) }, t('Ask for this profile')))))];
	}
}
