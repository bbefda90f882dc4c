// SPDX-License-Identifier: MIT
//
// Shows what jittrace has drawn: looks lines, panes and texts up by number and
// puts them into the page as textContent. It words nothing about the program
// and decodes nothing; what a key means is what it means in --step.
'use strict';
(() => {
const get = id => document.getElementById(id);
const DEFAULT_SPEED = 2;
const KEPT_BLOCKS = 16;
const NAMED_AFTER = 400; // milliseconds
const SHORTEST_MARK = 0.001; // of the timeline

let index;            // of the run
let packed;           // base64: the index, then the blocks
let here = 0;         // the event that is shown, and ...
let shown;            // ... what its block has of it
let block;            // that block
let turn = 0;         // how often was moved: a slow block must not win
let wide = true;
let asked = null;     // the byte that is asked about: a BigInt
let jumpedFrom = null;
let lastSearch = '', lastChanged = '';
let playing = 0;      // a timer
let naming = 0;       // a timer
let answering = null; // the command that asks
const mode = {regs: 'registers', decimal: false};
const blocks = new Map();

// --- what was packed ---------------------------------------------------------

async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream()
        .pipeThrough(new DecompressionStream('deflate'));
    return JSON.parse(await new Response(stream).text());
}

// Events have numbers; those that are left out have no place.
const isCut = seq => index.end > 0 && seq >= index.cut && seq < index.end;
const placeOf = seq =>
    index.end > 0 && seq >= index.end ? seq - index.end + index.cut : seq;
const seqOf = place => index.end > 0 && place >= index.cut
    ? place + index.end - index.cut : place;
const last = () => index.count - 1;

async function blockAt(number) {
    if (!blocks.has(number)) {
        const read = await unpack(packed[1 + number]);
        if (blocks.size >= KEPT_BLOCKS)
            blocks.delete(blocks.keys().next().value);
        blocks.set(number, read);
    }
    return blocks.get(number);
}

async function eventAt(place) {
    const read = await blockAt(Math.floor(place / index.block));
    return read.events[place % index.block];
}

// The last entry of [[event, ...], ...] that holds at an event, or undefined.
function holds(list, seq) {
    let low = 0, high = list.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (list[middle][0] <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return list[low - 1];
}

// --- bytes -------------------------------------------------------------------

const number = digits => BigInt('0x' + digits);
const byteAt = addr => index.bytes.byAddress.get(addr.toString(16));

function textAt(list, seq) {
    const entry = list && holds(list, seq);
    return entry ? index.bytes.texts[entry[1]] : '';
}

// A byte that nothing more is known of.
function nameByte(addr) {
    const offset = shown.wide ? addr - number(shown.wide.base) : -1n;
    return offset >= 0n && offset < 0x100000n ? 'code[' + offset + ']'
                                              : '0x' + addr.toString(16);
}

// What is said of a byte: who wrote it, and what it is for.
function tellByte(addr) {
    const about = byteAt(addr);
    const purpose = purposeNow(addr) || textAt(about && about[1], here);
    const who = textAt(about && about[2], here) || nameByte(addr) +
        (index.bytes.all ? '  no event so far is about this byte'
                         : '  who wrote it is not told in this page');
    return purpose ? [who, purpose] : [who];
}

// Of the instruction that the event is about.
function purposeNow(addr) {
    const field = shown.fields &&
        shown.fields.find(f => number(shown.at) + BigInt(f[0]) === addr);
    return field ? block.lines[field[2]] : '';
}

// --- drawing -----------------------------------------------------------------

function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined)
        made.textContent = text;
    if (className)
        made.className = className;
    return made;
}

// A line: stretches of one role, of which those at the columns of bytes are
// cut out. cells: [[column, address], ...].
function drawLine(parent, line, cells) {
    let role = 0, column = 0, text = '', next = 0;
    const flush = addr => {
        if (!text)
            return;
        // The rule of a frame is for the eye: no voice is to say its dashes.
        for (const piece of text.split(/(─+)/).filter(Boolean)) {
            const part = element('span', piece, 'r-' + index.roles[role] +
                                 (addr === undefined ? '' : ' b'));
            if (addr !== undefined)
                part.dataset.addr = addr;
            if (piece[0] === '─')
                part.setAttribute('aria-hidden', 'true');
            parent.append(part);
        }
        text = '';
    };
    for (const c of line) {
        const code = c.codePointAt(0);
        if (code >= index.rune && code < index.rune + index.roles.length) {
            // The second digit of a byte has the role of the first.
            flush();
            role = code - index.rune;
            continue;
        }
        if (next < cells.length && column === cells[next][0])
            flush();
        text += c;
        column++;
        if (next < cells.length && column === cells[next][0] + 2)
            flush(cells[next++][1]);
    }
    flush();
}

function drawPane(section, name) {
    const at = index.panes.indexOf(name) + (wide ? 0 : index.panes.length);
    const lines = block.panes[shown.panes[at]].map(n => block.lines[n]);
    const bytes = shown[wide ? 'wide' : 'narrow'];
    const title = element('h2'), body = element('pre');

    drawLine(title, lines[0] || '', []);
    lines.slice(1).forEach((line, i) => {
        const cells = [], row = i + 1;
        if (name === 'page' && bytes && row >= bytes.row &&
            row < bytes.row + bytes.rows) {
            const first = number(bytes.base) + BigInt(bytes.offset +
                (row - bytes.row) * bytes.width);
            for (let k = 0; k < bytes.width; k++)
                cells.push([bytes.column + 3 * k,
                            (first + BigInt(k)).toString(16)]);
        }
        drawLine(body, line, cells);
        body.append('\n');
    });
    section.replaceChildren(title, body);
}

const PANES = {
    left: ['source', 'story', 'output'],
    right: ['page', 'instruction', 'registers'],
};
const LABELS = {
    source: 'source', page: 'memory', instruction: 'instruction',
    registers: 'registers', story: 'what happened', output: 'output',
};

function paneName(pane) {
    const decimal = mode.decimal ? ' decimal' : '';
    if (pane === 'story')
        return pane + decimal;
    if (pane !== 'registers')
        return pane;
    return mode.regs === 'stack' ? 'stack' : mode.regs + decimal;
}

// On a smaller screen they stand in the order of --step, but where not all of
// them are in sight: there the words come first.
function placePanes() {
    const twoColumns = matchMedia('(min-width: 1200px)').matches;
    const rest = ['page', 'instruction', 'registers'];
    const places = twoColumns ? PANES
        : wide ? {left: ['source', ...rest, 'story', 'output']}
        : {left: ['story', 'source', ...rest, 'output']};
    get('panes').replaceChildren();
    for (const [id, names] of Object.entries(places)) {
        const column = element('div');
        column.id = id;
        for (const name of names) {
            const section = element('section');
            section.id = 'pane-' + name;
            section.tabIndex = 0;
            section.setAttribute('aria-label', LABELS[name]);
            column.append(section);
        }
        get('panes').append(column);
    }
}

function drawPanes() {
    for (const name of Object.keys(LABELS))
        drawPane(get('pane-' + name), paneName(name));
    markAsked();
}

function markAsked() {
    get('byte').textContent = '';
    if (asked === null)
        return;
    for (const part of get('pane-page').querySelectorAll('.b'))
        if (part.dataset.addr === asked.toString(16))
            part.classList.add('asked');
    get('byte').textContent = tellByte(asked).join('\n');
}

function drawWhere() {
    const chapter = holds(index.chapters, here);
    const stage = chapter[1];
    get('where').replaceChildren(
        element('span', (stage + 1) + ' ' + index.stages[stage] + ', '),
        element('b', 'event ' + here + '/' + last()),
        element('span', ', ' + index.kinds[placeOf(here)]));
    for (const button of get('stages').children) {
        if (Number(button.dataset.stage) === stage)
            button.setAttribute('aria-current', 'step');
        else
            button.removeAttribute('aria-current');
    }
    get('position').value = placeOf(here);
    get('position').setAttribute('aria-valuetext',
        'event ' + here + ' of ' + last() + ', ' + index.stages[stage]);
}

function say(text) {
    get('message').textContent = text;
}

// The address of the page names the event. Browsers refuse to set it many times
// a second, so that waits until a reader stays; and a frame may have none.
function nameEvent() {
    try {
        history.replaceState(null, '', '#e=' + here);
    } catch (e) { /* then only the button knows the link */ }
}

// Goes to an event that is there, and shows it.
async function show(seq) {
    const mine = ++turn, place = placeOf(seq);
    const read = await blockAt(Math.floor(place / index.block));
    if (mine !== turn)
        return;
    here = seq;
    block = read;
    shown = block.events[place % index.block];
    hideTip();
    drawPanes();
    drawWhere();
    get('words').textContent = shown.words;
    clearTimeout(naming);
    naming = setTimeout(nameEvent, NAMED_AFTER);
    document.body.dataset.event = here;
    document.body.dataset.turn = mine;
}

// To an event, or to what is nearest of what the page has.
function go(seq) {
    if (isCut(seq)) {
        const to = seq - index.cut < index.end - seq ? index.cut - 1
                                                     : index.end;
        say('event ' + seq + ' is left out of this page, as are ' +
            index.cut + ' to ' + (index.end - 1));
        return show(to);
    }
    return show(Math.max(0, Math.min(seq, last())));
}

// --- commands ----------------------------------------------------------------

function nextChapter(seq) {
    const next = index.chapters.find(chapter => chapter[0] > seq);
    return next ? next[0] : null;
}

function finish() {
    const to = holds(index.finish, here)[1];
    if (to === 0)
        say('this event is in no call of generated code');
    else if (to < 0)
        say('this call was not seen to return');
    else
        return go(to);
}

function iterate() {
    const by = index.again[placeOf(here)];
    if (by === -2)
        return say('i is for an instruction that was executed');
    if (by === -3)
        return say('this event is in no call of generated code');
    if (by === -1)
        return say('this instruction is not executed again');
    if (holds(index.finish, here)[1] === here + by)
        say('the call is over: it was not executed again');
    return go(here + by);
}

function verdict() {
    const ahead = index.verdicts.filter(v => v[0] > here);
    const behind = index.verdicts.filter(v => v[0] <= here).map(v => v[0]);
    if (ahead.length > 0) {
        const to = Math.min(...ahead.map(v => v[0]));
        const moved = go(to);
        say(ahead.find(v => v[0] === to)[1]);
        return moved;
    }
    say('no rule is broken after this event' + (behind.length > 0
        ? '; the nearest one before: g ' + Math.max(...behind) : ''));
}

// Looks through what is said of the events, in one direction.
async function search(text, by, found, missing) {
    const mine = ++turn;
    for (let p = placeOf(here) + by; p >= 0 && p < index.kinds.length;
         p += by) {
        const event = await eventAt(p);
        if (mine !== turn)
            return;
        if (found(event.words)) {
            say('');
            return show(seqOf(p));
        }
    }
    say(missing);
}

function searchWords(text, by) {
    lastSearch = text.trim() || lastSearch;
    if (!lastSearch)
        return say('there is no search to repeat');
    const what = lastSearch.toLowerCase();
    // A line that was wrapped reads as one.
    return search(what, by,
        words => words.replace(/\s+/g, ' ').toLowerCase().includes(what),
        'nothing ' + (by > 0 ? 'after' : 'before') + ' event ' + here +
        " has '" + lastSearch + "' in its words");
}

// The address of "3", "0x1f", "code[3]" or an address.
function parseByte(text) {
    const match = /^(?:code\[)?(0x[0-9a-f]+|\d+)\]?$/i.exec(text.trim());
    if (!match)
        return null;
    const where = BigInt(match[1]);
    if (where >= 0x10000n)
        return where;
    const bytes = shown.wide;
    return bytes ? number(bytes.base) + where : null;
}

function who(text) {
    if (!text.trim()) {
        asked = null;
        return drawPanes();
    }
    const addr = parseByte(text);
    if (addr === null)
        return say("'" + text + "' is no offset and no address of a byte");
    asked = addr;
    drawPanes();
}

function moveByte(by) {
    if (asked === null)
        asked = shown.at ? number(shown.at)
            : shown.wide ? number(shown.wide.base) : null;
    else if (asked + BigInt(by) >= 0n)
        asked += BigInt(by);
    if (asked === null)
        say('nothing is mapped for code here; w asks for a byte of the past');
    drawPanes();
}

function writer() {
    if (asked === null)
        return say('which byte? w asks for one');
    if (jumpedFrom && jumpedFrom.to === here) {
        const back = jumpedFrom.from;
        jumpedFrom = null;
        return go(back);
    }
    const about = byteAt(asked), entry = about && holds(about[2], here);
    if (!entry)
        return say('no event so far is about this byte');
    if (entry[0] === here)
        return say('this is the event that wrote it; before it: b, then again');
    jumpedFrom = {from: here, to: entry[0]};
    return go(entry[0]);
}

// Back to what changed a register, a flag or a byte.
function changed(text) {
    const what = text.trim() || lastChanged;
    if (!text.trim() && asked !== null)
        return writer();
    const addr = parseByte(what);
    const isRegister = index.registers.includes(what.toLowerCase());
    const isFlag = /^[A-Z]F$/.test(what);
    if (!what || (addr === null && !isRegister && !isFlag))
        return say('of what? a register as it is listed (rax), a flag (ZF), ' +
                   'code[3] or an address; w chooses a byte');
    lastChanged = what;
    const missing = 'nothing before event ' + here + ' has changed ' + what;
    if (addr !== null) {
        const about = byteAt(addr);
        const entry = about && holds(about[2], here - 1);
        return entry ? go(entry[0]) : say(missing);
    }
    const line = isRegister
        ? new RegExp('^ +' + what.toLowerCase() + ' \\S+ -> ', 'm')
        : /^ +flags .* -> .*$/m;
    return search(what, -1, words => {
        const match = line.exec(words.replace(/\n +-> /g, ' -> '));
        if (!match || isRegister)
            return Boolean(match);
        const [before, after] = match[0].split(' -> ');
        return before.includes(what) !== after.includes(what);
    }, missing);
}

function toggle(name) {
    mode.regs = mode.regs === name ? 'registers' : name;
    drawPanes();
}

function goTo(text) {
    if (!/^\s*\d+\s*$/.test(text))
        return say(text.trim()
            ? "'" + text + "' is not the number of an event"
            : 'goto takes the number of an event');
    const seq = Number(text);
    if (seq > last())
        return say('there is no event ' + seq + '; the last one is ' + last());
    return go(seq);
}

// What a word of the glossary means; as far as it is clear which one is meant.
function explainWord(text) {
    const word = text.trim().toLowerCase();
    const terms = Object.keys(index.glossary);
    const means = by => terms.filter(term => by(term.toLowerCase()));
    const found = [means(term => term === word),
                   means(term => term.split(' ').includes(word)),
                   means(term => term.startsWith(word.replace(/\d+$/, '')))]
        .find(list => list.length === 1);
    say(found ? found[0] + ': ' + index.glossary[found[0]].trim()
        : "'" + text.trim() + "' is not in the glossary; it has " +
          terms.join(', '));
}

// A command by its word or its key, with what it takes.
function obeyLine(text) {
    const line = text.replace(/^[:\s]+/, '').trim();
    const [, word, rest] = /^(\/(?=.)|\S*)\s*(.*)$/.exec(line);
    const command = index.commands.find(
        c => c.word === word || (word.length === 1 && c.keys.includes(word)));
    if (/^\d+$/.test(line))
        return goTo(line);
    if (!command)
        return say(line && "there is no command '" + word + "'");
    if (rest && !questionOf(command))
        return say('nothing can stand after ' + command.word);
    return obey(command.word, rest || undefined);
}

const ENDED = 'the run ends here; go back (b)';
const FIRST = 'this is the first event; go on (n)';

const commands = {
    next: () => here >= last() ? say(ENDED)
        : show(seqOf(placeOf(here) + 1)),
    back: () => here === 0 ? say(FIRST) : show(seqOf(placeOf(here) - 1)),
    stage: () => {
        const to = nextChapter(here);
        return to === null ? say('there is no stage after this one') : go(to);
    },
    'stage-back': () => here === 0 ? say(FIRST)
        : go(holds(index.chapters, here - 1)[0]),
    goto: goTo,
    command: obeyLine,
    first: () => show(0),
    last: () => show(last()),
    search: text => searchWords(text, 1),
    before: text => searchWords(text, -1),
    call: () => {
        const to = index.calls.find(seq => seq > here);
        return to === undefined ? say('there is no call after this event')
                                : go(to);
    },
    finish,
    iteration: iterate,
    changed,
    copy: () => toClipboard(shown.words.split('\n')[0], 'this event: '),
    here: () => copyLink(),
    who,
    byte: () => moveByte(1),
    'byte-back': () => moveByte(-1),
    zoom: () => say('the page at once is for a terminal: jittrace --step, z'),
    writer,
    verdict,
    run: () => here >= last() ? say(ENDED) : show(last()),
    registers: () => toggle('all'),
    hex: () => {
        mode.decimal = !mode.decimal;
        drawPanes();
    },
    vectors: () => toggle('vectors'),
    stack: () => toggle('stack'),
    explain: explainWord,
    help: () => {
        get('help').hidden = !get('help').hidden;
        if (!get('help').hidden) {
            get('help').scrollIntoView();
            get('help').focus();
        }
    },
    quit: () => {
        get('help').hidden = true;
        pause();
    },
};

// Here a field is explained where it is pointed at, and a word is asked for.
const questionOf = command =>
    command.word === 'explain' ? 'explain the word: ' : command.question;

// Does what a command asks for; one that asks something asks it first.
function obey(word, argument) {
    const command = index.commands.find(c => c.word === word);
    if (word !== 'next' || argument !== 'play')
        pause();
    say('');
    if (word !== 'help' && word !== 'quit')
        get('help').hidden = true;
    if (questionOf(command) && argument === undefined) {
        answering = word;
        get('question').textContent = questionOf(command);
        get('answer').value = '';
        get('ask').hidden = false;
        get('answer').focus();
        return;
    }
    return commands[word](argument || '');
}

// --- playing -----------------------------------------------------------------

function pause() {
    clearInterval(playing);
    playing = 0;
    const button = get('play');
    button.textContent = 'play';
    button.setAttribute('aria-pressed', 'false');
}

function play() {
    if (playing)
        return pause();
    if (here >= last())
        show(0);
    const button = get('play');
    button.textContent = 'pause';
    button.setAttribute('aria-pressed', 'true');
    playing = setInterval(() => {
        if (here >= last())
            return pause();
        obey('next', 'play');
    }, 1000 / Number(get('speed').value));
}

// --- links -------------------------------------------------------------------

async function toClipboard(link, name) {
    let copied = true;
    try {
        await navigator.clipboard.writeText(link);
    } catch (e) {
        const field = element('textarea', link);
        document.body.append(field);
        field.select();
        copied = document.execCommand('copy');
        field.remove();
    }
    say((copied ? 'copied: ' : name) + link);
}

const copyLink = () => toClipboard(
    location.href.replace(/#.*/, '') + '#e=' + here, 'the link to this event: ');

const linked = () => {
    const match = /^#e=(\d{1,15})$/.exec(location.hash);
    return match ? Number(match[1]) : null;
};

function followLink() {
    const seq = linked();
    if (seq === null || seq === here)
        return;
    say(seq > last() ? 'there is no event ' + seq + '; the last one is ' +
        last() : '');
    go(seq);
}

// --- pointing ----------------------------------------------------------------

function hideTip() {
    get('tip').hidden = true;
}

function showTip(target, lines) {
    const tip = get('tip'), box = target.getBoundingClientRect();
    tip.textContent = lines.join('\n');
    tip.hidden = false;
    const size = tip.getBoundingClientRect();
    const below = box.bottom + 6 + size.height <= innerHeight;
    tip.style.left = Math.max(4, Math.min(box.left,
        innerWidth - size.width - 8)) + 'px';
    tip.style.top = (below ? box.bottom + 6
                           : Math.max(4, box.top - 6 - size.height)) + 'px';
}

function point(event) {
    const target = event.target;
    if (!(target instanceof HTMLElement) || !target.closest('#panes'))
        return hideTip();
    if (target.dataset.addr)
        return showTip(target, tellByte(number(target.dataset.addr)));
    if (target.closest('#pane-instruction') && shown.fields) {
        const lines = shown.fields.filter(
            f => target.classList.contains('r-' + index.roles[f[1]]))
            .map(f => '+' + f[0] + '  ' + block.lines[f[2]]);
        if (lines.length > 0)
            return showTip(target, lines);
    }
    hideTip();
}

// --- keys --------------------------------------------------------------------

const keys = new Map();

function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey)
        return;
    const target = event.target;
    const name = target.tagName;
    if (event.key === 'Escape') {
        get('ask').hidden = true;
        hideTip();
        return obey('quit');
    }
    if (target.id === 'answer' || name === 'SELECT' || name === 'TEXTAREA')
        return;
    if (name === 'BUTTON' && (event.key === 'Enter' || event.key === ' '))
        return;
    if (target.id === 'position' && /^(Arrow|Home|End|Page)/.test(event.key))
        return;
    if (event.key === 'p') {
        event.preventDefault();
        return play();
    }
    const word = keys.get(event.key);
    if (!word)
        return;
    event.preventDefault();
    obey(word);
}

// --- building ----------------------------------------------------------------

function addButton(text, label, action, id) {
    const button = element('button', text);
    button.type = 'button';
    button.setAttribute('aria-label', label);
    button.title = label;
    if (id)
        button.id = id;
    button.addEventListener('click', action);
    get('buttons').append(button);
    return button;
}

function buildButtons() {
    const by = (text, word) => {
        const command = index.commands.find(c => c.word === word);
        addButton(text, command.help + ' (' + command.shown + ')',
                  () => obey(word));
    };
    by('|◀', 'first');
    by('◀ back', 'back');
    addButton('play', 'play the events one after the other (p)', play, 'play')
        .setAttribute('aria-pressed', 'false');
    by('next ▶', 'next');
    by('▶|', 'last');
    const speed = element('select');
    speed.id = 'speed';
    speed.setAttribute('aria-label', 'events a second');
    for (const value of [0.5, 1, 2, 4, 8, 16]) {
        const option = element('option', value + '/s');
        option.value = value;
        option.selected = value === DEFAULT_SPEED;
        speed.append(option);
    }
    speed.addEventListener('change', () => {
        if (playing) {
            pause();
            play();
        }
    });
    get('buttons').append(speed);
    by('registers', 'registers');
    by('hex', 'hex');
    by('stack', 'stack');
    addButton('copy link', 'copy a link to this event', copyLink, 'copy');
    by('keys', 'help');
}

function buildTimeline() {
    const count = index.kinds.length;
    index.chapters.forEach(([first, stage], i) => {
        const next = index.chapters[i + 1];
        const end = next ? next[0] : index.count;
        const button = element('button', (stage + 1) + ' ' +
                               index.stages[stage]);
        button.type = 'button';
        button.dataset.stage = stage;
        button.title = 'events ' + first + ' to ' + (end - 1);
        button.setAttribute('aria-label', button.textContent + ', ' +
                            button.title);
        button.addEventListener('click', () => {
            pause();
            say('');
            go(first);
        });
        if (i < 60)
            get('stages').append(button);
    });
    get('position').max = count - 1;
    get('position').addEventListener('input', () => {
        pause();
        say('');
        show(seqOf(Number(get('position').value)));
    });
    // One of a kind in each stretch of the line is enough.
    const drawn = new Set();
    const mark = (place, kind) => {
        const at = count > 1 ? place / (count - 1) : 0;
        const key = kind + Math.round(at / SHORTEST_MARK);
        if (drawn.has(key))
            return;
        drawn.add(key);
        const line = element('i', undefined, kind);
        line.style.left = 100 * at + '%';
        get('marks').append(line);
    };
    index.kinds.forEach((kind, place) => {
        if (['protect', 'output', 'signal', 'limit', 'refused',
            'injected'].includes(kind))
            mark(place, kind);
    });
    for (const seq of index.calls)
        if (!isCut(seq))
            mark(placeOf(seq), 'enter');
    for (const [seq] of index.verdicts)
        if (!isCut(seq))
            mark(placeOf(seq), 'verdict');
}

function buildHelp() {
    const list = element('dl');
    for (const command of index.commands) {
        for (const key of command.keys)
            keys.set(key, command.word);
        list.append(element('dt', command.shown),
                    element('dd', command.word === 'quit'
                        ? 'close this, or stop playing' : command.help));
    }
    list.append(element('dt', 'p'),
                element('dd', 'play the events one after the other, or pause'));
    get('help').append(element('h2', 'Keys'), list, element('p',
        'A byte and a field of an instruction say what they are when ' +
        'pointed at; a click on a byte asks about it as w does. / and \\ ' +
        'look for words as they are read aloud: mov, rax, an address.'));
}

function onSize() {
    // What the keyboard moves to does not come to lie beneath the controls.
    document.documentElement.style.scrollPaddingTop =
        get('controls').offsetHeight + 'px';
    const probe = element('pre', '0'.repeat(80));
    probe.className = 'spoken';
    probe.style.width = 'max-content';
    get('panes').append(probe);
    const needed = probe.getBoundingClientRect().width;
    probe.remove();
    const room = get('panes').getBoundingClientRect().width;
    wide = needed <= room + 2;
    placePanes();
    if (shown)
        drawPanes();
}

function prepare() {
    const byAddress = new Map();
    for (const about of index.bytes.list)
        byAddress.set(about[0], about);
    index.bytes.byAddress = byAddress;
}

async function start() {
    if (/[?&]embed\b/.test(location.search))
        document.body.classList.add('embed');
    packed = JSON.parse(get('run').textContent);
    index = await unpack(packed[0]);
    prepare();
    buildHelp();
    buildButtons();
    buildTimeline();
    get('player').hidden = false;
    onSize();
    const seq = linked();
    await go(seq === null ? 0 : seq);
    if (seq !== null && seq > last())
        say('there is no event ' + seq + '; the last one is ' + last());
    else if (index.end > 0)
        say('this page has the first ' + index.cut + ' events and the last ' +
            (index.count - index.end) + ' of ' + index.count);
    document.addEventListener('keydown', onKey);
    addEventListener('hashchange', followLink);
    addEventListener('resize', onSize);
    get('panes').addEventListener('mouseover', point);
    get('panes').addEventListener('mouseleave', hideTip);
    get('panes').addEventListener('click', event => {
        const addr = event.target.dataset && event.target.dataset.addr;
        if (addr) {
            asked = number(addr);
            drawPanes();
        }
    });
    get('ask').addEventListener('submit', event => {
        event.preventDefault();
        get('ask').hidden = true;
        get('answer').blur();
        obey(answering, get('answer').value);
    });
    document.body.dataset.ready = 'yes';
}

// The text form instead of the steps. Returns what ends that.
function showText() {
    const text = document.querySelector('noscript').textContent;
    const made = new DOMParser().parseFromString(text, 'text/html');
    const form = element('pre', made.querySelector('pre').textContent, 'text');
    const wasHidden = get('player').hidden;
    get('player').hidden = true;
    get('trouble').after(form);
    return () => {
        form.remove();
        get('player').hidden = wasHidden;
    };
}

// A page that is printed as soon as it is loaded shows no event yet.
addEventListener('beforeprint', () => {
    if (!shown && get('trouble').hidden)
        addEventListener('afterprint', showText(), {once: true});
});

// A browser without DecompressionStream (before 2023) gets the text form.
start().catch(error => {
    showText();
    get('trouble').hidden = false;
    get('trouble').textContent =
        'This browser cannot show the steps (' + error.message +
        '); the text form follows.';
});
})();
