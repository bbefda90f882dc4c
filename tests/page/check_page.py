#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check_page.py JITTRACE TRACEES DIR - the pages of --format=html in a browser.

Each page is made from a recording, so that the same recording can be asked
line by line (--step --plain): what the page says of each event, and where each
key leads to, must be the same. Then what only a page has: pointing, links,
playing, the text form without scripts, an embedded page, the policy, sizes,
and how it looks: the pictures of three sizes in both themes are left in DIR.

Debian's chromium is driven by selenium, and pdftotext reads what is printed.
Status 1 and a line for each thing that is wrong.
"""
import base64
import json
import os
import re
import subprocess
import sys
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

JITTRACE, TRACEES, DIR = map(os.path.abspath, sys.argv[1:4])
PATIENCE = 20  # seconds
SIZES = {"wide": (1400, 1000), "middle": (900, 900), "phone": (360, 740)}
KB = 1024

# Name, what is traced, the most that its page may take.
RUNS = [
    ("babyjit", ["-4"], 200 * KB),
    ("loops", ["--lesson=loops", "--", "1", "3"], 400 * KB),
    ("crash", ["--", f"{TRACEES}/crash"], 200 * KB),
    ("calls", ["--", f"{TRACEES}/recursion"], 600 * KB),
]

# Keys that move, and the word that does so line by line.
MOVES = {"n": "next", "b": "back", "]": "stage", "[": "stage-back",
         "c": "call", "f": "finish", "i": "iteration", "v": "verdict",
         Keys.HOME: "first", Keys.END: "last", " ": "next",
         Keys.ENTER: "next", Keys.ARROW_RIGHT: "next", Keys.ARROW_LEFT: "back",
         "r": "run"}

HOSTILE = ["</script><script>window.hurt=1</script>", "<img src=x onerror=\"window.hurt=1\">",
           "--><svg onload=window.hurt=1>", "&lt;b&gt;", "\u202etxt\u202c",
           "\ue005\ue01a", "\x1b[31m", "</noscript></pre><b id=hurt>"]

failures = 0


def expect(fact, what):
    global failures
    if not fact:
        failures += 1
        print(f"check-page: {what}", flush=True)
    return fact


def run(*arguments, text=None):
    done = subprocess.run([JITTRACE, *arguments], input=text, text=True,
                          stdin=None if text is not None
                          else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout


def flat(text):
    return " ".join(text.split())


def make_page(name, arguments):
    record, page = f"{DIR}/{name}.jsonl", f"{DIR}/{name}.html"
    run("--format=json", "-o", record, *arguments)
    run(f"--replay={record}", "--format=html", "-o", page)
    return record, page


def paragraphs(record):
    """What --step --plain says of each event."""
    told = run(f"--replay={record}", "--step", "--plain", text="")
    told = re.sub(r"^Enter goes on; .*\n|^step \d+> *\n", "", told, flags=re.M)
    parts = re.split(r"^(?=event \d+, )", told, flags=re.M)
    return [flat(part) for part in parts if part.startswith("event ")]


def positions(record, commands):
    """Where each of the commands leads to, line by line."""
    told = run(f"--replay={record}", "--step", "--plain",
               text="\n".join(commands) + "\n")
    prompts = re.findall(r"^step (\d+)>", told, flags=re.M)
    return [int(number) for number in prompts[1:]]


# Browsers refuse to follow many links a second, so most moves are made by the
# slider. Here all events have a place.
PUT = """
const put = seq => {
    const slider = document.getElementById('position');
    slider.value = seq;
    slider.dispatchEvent(new Event('input'));
};
// As setTimeout(wake, 0) without the milliseconds that browsers add.
const sleep = () => new Promise(wake => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { channel.port1.close(); wake(); };
    channel.port2.postMessage(0);
});
"""


class Page:
    def __init__(self, driver, path, query=""):
        self.driver = driver
        self.path = path
        driver.get("about:blank")
        driver.get_log("performance")
        driver.get(f"file://{path}{query}")
        self.wait(lambda: self.js("return document.body.dataset.ready"))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, done):
        limit = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > limit:
                return expect(False, f"{self.path}: nothing happens")
            time.sleep(0.02)
        return True

    def event(self):
        return int(self.js("return document.body.dataset.event"))

    def text(self, id):
        return self.js("return document.getElementById(arguments[0])"
                       ".textContent", id)

    def go(self, seq):
        self.js(PUT + "put(arguments[0])", seq)
        self.wait(lambda: self.event() == seq)

    def press(self, key):
        self.driver.switch_to.active_element.send_keys(key)
        time.sleep(0.01)

    def answer(self, key, text):
        self.press(key)
        self.press(text + Keys.ENTER)
        time.sleep(0.1)


READ_ALL = PUT + """
const [count, done] = arguments;
(async () => {
    const words = [];
    for (let seq = 0; seq < count; seq++) {
        put(seq);
        for (let i = 0; i < 5000 && document.body.dataset.event != seq; i++)
            await sleep();
        words.push(document.getElementById('words').textContent);
    }
    done(words);
})();
"""


def check_words(page, record):
    told = paragraphs(record)
    expect(len(told) > 5, f"{page.path}: {len(told)} paragraphs")
    read = page.driver.execute_async_script(READ_ALL, len(told))
    for seq, words in enumerate(told):
        shown = flat(read[seq])
        expect(shown == words, f"{page.path}: event {seq}\n    page: {shown}"
                               f"\n    step: {words}")


# Goes to each event, presses each key there, and says where that led to and
# with what message; all in one call, for each call of the driver takes a while.
PRESS_ALL = PUT + """
const [places, keys, done] = arguments;
const event = () => Number(document.body.dataset.event);
const settle = async reached => {
    for (let i = 0; i < 5000 && !reached(); i++) await sleep(); };
(async () => {
    const led = [];
    for (const seq of places)
        for (const key of keys) {
            put(seq);
            await settle(() => event() === seq);
            const turn = document.body.dataset.turn;
            document.body.dispatchEvent(new KeyboardEvent('keydown',
                {key, bubbles: true, cancelable: true}));
            await settle(() => document.body.dataset.turn !== turn ||
                document.getElementById('message').textContent);
            await sleep();
            led.push([event(),
                      document.getElementById('message').textContent]);
        }
    done(led);
})();
"""

DOM_KEYS = {Keys.HOME: "Home", Keys.END: "End", Keys.ENTER: "Enter",
            Keys.ARROW_RIGHT: "ArrowRight", Keys.ARROW_LEFT: "ArrowLeft"}


def check_keys(page, record, events):
    """Real keys at one event, made ones at many."""
    places = sorted(set([0, 1, events - 2, events - 1,
                         *range(2, events, max(2, events // 10))]))
    wanted = positions(record, [line for seq in places
                                for word in MOVES.values()
                                for line in (f"goto {seq}", word)])[1::2]
    expect(len(wanted) == len(places) * len(MOVES), f"{page.path}: commands")
    keys = [DOM_KEYS.get(key, key) for key in MOVES]
    led = page.driver.execute_async_script(PRESS_ALL, places, keys)
    at = [(seq, key) for seq in places for key in MOVES]
    for (seq, key), to, (event, message) in zip(at, wanted, led):
        expect(event == to, f"{page.path}: {MOVES[key]} at {seq} leads to "
               f"{event} ({message}), not to {to}")
        expect(to != seq or message or MOVES[key] in ("first", "last"),
               f"{page.path}: {MOVES[key]} at {seq} does and says nothing")
    middle = places[len(places) // 2]
    for (seq, key), to in zip(at, wanted):
        if seq != middle:
            continue
        page.go(seq)
        page.press(key)
        if to != seq:
            page.wait(lambda: page.event() != middle)
        expect(page.event() == to, f"{page.path}: the key {MOVES[key]} at "
               f"{seq} leads to {page.event()}, not to {to}")


def check_modes(page):
    page.go(21)
    section = "pane-registers"
    plain = page.text(section)
    page.press("x")
    expect("decimal" in page.text(section), "x shows no decimal")
    expect("-4" in page.text(section), "x shows no -4")
    page.press("x")
    page.press("V")
    expect("vector registers" in page.text(section), "V shows no vectors")
    page.press("K")
    expect(page.text(section).startswith("── stack"), "K shows no stack")
    page.press("K")
    page.press("R")
    expect("gs_base" in page.text(section), "R does not show all")
    page.press("R")
    expect(page.text(section) == plain, "R, R is not as before")
    page.press("h")
    expect(page.driver.find_element(By.ID, "help").is_displayed(), "no help")
    page.press("q")
    expect(not page.driver.find_element(By.ID, "help").is_displayed(),
           "q does not close the help")
    page.answer("g", "17")
    page.wait(lambda: page.event() == 17)
    page.answer(":", "goto 15")
    page.wait(lambda: page.event() == 15)
    page.answer(":", "b")
    page.wait(lambda: page.event() == 14)
    page.answer(":", "nxet")
    expect("no command 'nxet'" in page.text("message"), ": takes anything")
    page.answer("?", "imm32")
    expect(page.text("message").startswith("immediate: A constant number"),
           "? does not explain imm32")
    page.answer(":", "? nothing")
    expect("not in the glossary" in page.text("message"), "? knows all")
    page.answer(":", "17")
    page.wait(lambda: page.event() == 17)
    page.answer("g", "9999")
    expect("no event 9999" in page.text("message"), "g 9999 says nothing")
    page.answer("/", "ADD rax")
    page.wait(lambda: page.event() > 17)
    expect("add rax" in page.text("words"), "/ does not find add rax")
    page.answer("\\", "mprotect")
    page.wait(lambda: "mprotect" in page.text("words"))
    page.answer("/", "no such thing")
    expect("nothing after" in page.text("message"), "/ finds what is not there")
    page.go(25)
    page.answer("B", "rax")
    page.wait(lambda: page.event() < 25)
    expect("rax" in page.text("words"), "B rax")
    page.answer("B", "eax?")
    expect("of what?" in page.text("message"), "B eax? is taken")


def check_bytes(page, record):
    """Bytes that are pointed at, and asked about by keys, against --who."""
    page.go(24)
    for offset in (0, 2, 3, 10):
        told = flat(run(f"--replay={record}", f"--who={offset}"))
        byte = page.driver.find_elements(By.CSS_SELECTOR,
                                         "#pane-page .b")[offset]
        ActionChains(page.driver).move_to_element(byte).perform()
        tip = page.driver.find_element(By.ID, "tip")
        expect(tip.is_displayed(), f"byte {offset} has no tip")
        who, purpose = (tip.text.split("\n") + [""])[:2]
        expect(purpose and purpose in told, f"byte {offset}: {purpose}; {told}")
        seq = re.search(r"event (\d+): (.. -> ..)", who)
        expect(seq and f"event {seq[1]} {seq[2]} stored" in told,
               f"byte {offset}: {who}; {told}")
        expect(who.startswith(f"code[{offset}]"), who)
        page.answer("w", str(offset))
        expect(flat(page.text("byte")) == flat(f"{who} {purpose}"),
               f"w {offset}: {page.text('byte')}")
        page.press("e")
        page.wait(lambda: page.event() == int(seq[1]))
        page.press("e")
        page.wait(lambda: page.event() == 24)
    page.press(">")
    expect(page.text("byte").startswith("code[11]"), "> does not move")
    page.press("<")
    page.press("<")
    expect(page.text("byte").startswith("code[9]"), "< does not move")
    page.answer("w", "")
    expect(page.text("byte") == "", "w alone does not end it")
    page.go(20)
    field = page.driver.find_element(By.CSS_SELECTOR,
                                     "#pane-instruction .r-modrm")
    ActionChains(page.driver).move_to_element(field).perform()
    expect("mod=11" in page.text("tip"), f"ModRM: {page.text('tip')}")


def check_rest(page, driver):
    page.go(3)
    driver.find_element(By.ID, "copy").click()
    page.wait(lambda: "#e=3" in page.text("message"))
    driver.execute_script("document.getElementById('speed').value = '16'")
    page.js("document.activeElement.blur()")
    page.press("p")
    page.wait(lambda: page.event() > 5)
    page.press("p")
    at = page.event()
    time.sleep(0.3)
    expect(page.event() == at, "p does not stop it")
    page.js("const s = document.createElement('script');"
            "s.textContent = 'window.hurt = 1'; document.body.append(s)")
    expect(not page.js("return window.hurt"), "the policy lets a script run")
    names = page.js("return [...document.querySelectorAll('button, input,"
                    "select, section')].filter(e => !e.getAttribute("
                    "'aria-label') && !e.textContent && !e.labels?.length)"
                    ".map(e => e.outerHTML)")
    expect(not names, f"without a name: {names}")
    driver.set_window_size(1200, 900)
    page = Page(driver, page.path, "?embed#e=17")
    expect(page.event() == 17, "a link does not lead to its event")
    expect(not driver.find_element(By.TAG_NAME, "header").is_displayed(),
           "?embed shows the heading")
    page = Page(driver, page.path, "#e=123456")
    expect("no event 123456" in page.text("message"), "a link too far")


def printed(pdf):
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf,
                          stdout=subprocess.PIPE).stdout.decode()


def print_page(driver):
    done = driver.execute_cdp_cmd("Page.printToPDF", {})
    return printed(base64.b64decode(done["data"]))


def check_print(page, path):
    """On paper: the event; of a page that is printed at once, the text."""
    page.go(24)
    text = print_page(page.driver)
    expect("event 24/" in text and "rdi 0x1 " in text and "back" not in text,
           f"printed: {text[:200]}")
    pdf = f"{DIR}/print.pdf"
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                    f"--print-to-pdf={pdf}", f"file://{path}"],
                   stderr=subprocess.DEVNULL, timeout=60)
    text = printed(open(pdf, "rb").read())
    expect("mov rax, -4" in text, f"printed at once: {text[:200]}")


def ax_value(node, key):
    return node.get(key, {}).get("value", "")


def check_voices(page):
    """What a screen reader is given."""
    page.go(24)
    nodes = [node for node in page.driver.execute_cdp_cmd(
        "Accessibility.getFullAXTree", {})["nodes"] if not node["ignored"]]
    named = [(ax_value(node, "role"), ax_value(node, "name"))
             for node in nodes]
    for role, name in named:
        expect("──" not in name, f"read aloud: {role} {name}")
        expect(name or role not in ("heading", "button", "region", "slider",
                                    "combobox"), f"a {role} without a name")
    roles = [role for role, _ in named]
    expect(roles.count("main") == 1, f"{roles.count('main')} times main")
    expect(roles.count("heading") == 7, f"{roles.count('heading')} headings")
    live = [node for node in nodes if ax_value(node, "role") == "status"]
    expect(len(live) == 3, f"{len(live)} live regions")
    expect("toolbar" not in roles, "a toolbar would want arrow keys")


# Of what has the focus: its place in the document, and what is wrong.
FOCUSED = """
const e = document.activeElement, r = e.getBoundingClientRect();
const top = document.elementFromPoint(r.left + r.width / 2, r.top + 2);
const all = [...document.querySelectorAll('*')];
return [e === document.body ? -1 : all.indexOf(e),
    (getComputedStyle(e).outlineStyle === 'none' ? 'shows no focus ' : '') +
    (top && e.contains(top) ? '' : 'is covered ') +
    (Math.min(r.width, r.height) < 24 && e.tagName === 'BUTTON' ? 'is small '
        : ''), e.id || e.textContent];
"""


def check_tabs(page):
    """By the keyboard alone, on a telephone, too: there and back again."""
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True})
    page = Page(page.driver, page.path, "#e=24")
    for key in (Keys.TAB, Keys.SHIFT + Keys.TAB):
        order = []
        for _ in range(60):
            page.press(key)
            at, wrong, name = page.js(FOCUSED)
            if at < 0 or at in order:
                break
            order.append(at)
            expect(not wrong, f"{key!r}: {name} {wrong}")
        expect(len(order) > 20 and order == sorted(
            order, reverse=key != Keys.TAB), f"{key!r}: {order}")
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def check_without_scripts(driver, path):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled",
                           {"value": True})
    driver.get("about:blank")
    driver.get(f"file://{path}")
    text = driver.find_element(By.CSS_SELECTOR, "pre.text").text
    expect("mov rax, -4" in text and "mprotect" in text, "no text form")
    expect("mov rax, -4" in print_page(driver), "the text form is not printed")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled",
                           {"value": False})


def check_hostile(driver, record):
    """A recording whose names are markup."""
    lines = [json.loads(line) for line in open(record)]
    bad, path = f"{DIR}/hostile.jsonl", f"{DIR}/hostile.html"
    for line in lines:
        if line["event"] == "start":
            line["argv"] = ["babyjit", *HOSTILE]
        if "source" in line:
            line["source"]["file"] = HOSTILE[0]
            line["source"]["text"] = "".join(HOSTILE)
        if line["event"] == "write":
            line["symbol"] = HOSTILE[1]
        if line["event"] == "output":
            line["bytes"] = "".join(HOSTILE).encode().hex()
    with open(bad, "w") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    run(f"--replay={bad}", "--format=html", "-o", path)
    page = Page(driver, path)
    check_words(page, bad)
    expect(not page.js("return window.hurt || document.getElementById('hurt')"
                       "|| document.images.length"), "markup was obeyed")
    expect(HOSTILE[1] in page.driver.title, f"title: {page.driver.title}")
    expect("<img" in page.text("pane-output"), "no output")
    check_log(page)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled",
                           {"value": True})
    driver.get(f"file://{path}?plain")
    expect(not driver.find_elements(By.CSS_SELECTOR, "#hurt, img, svg"),
           "markup in the text form")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled",
                           {"value": False})


# Ink on ground of each role: at least 4.5 to 1 (WCAG 2.2, 1.4.3).
CONTRAST = """
const light = c => { const v = c.match(/[0-9.]+/g).slice(0, 3).map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
const ground = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
return [...document.querySelectorAll('#panes span, button, p, #where b')]
    .filter(e => e.offsetParent).map(e => {
    const a = light(getComputedStyle(e).color), b = light(ground(e));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
            e.className || e.id || e.tagName]; })
    .filter(x => x[0] < 4.5).map(x => x.join(' '));
"""


def check_looks(page, name, seq):
    unknown = page.js("return /[\\ue000-\\uf8ff]/.test("
                      "document.getElementById('panes').textContent)")
    expect(not unknown, f"{name}: a role that the page does not know")
    for size, (width, height) in SIZES.items():
        page.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1,
             "mobile": size == "phone"})
        for theme in ("light", "dark"):
            page.driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme",
                               "value": theme}]})
            page.go(seq)
            time.sleep(0.1)
            over = page.js("return document.documentElement.scrollWidth - "
                           "innerWidth")
            expect(over <= 0, f"{name}, {size}: {over} pixels too wide")
            cut = page.js("return [...document.querySelectorAll("
                          "'#panes section')].filter(e => e.scrollWidth > "
                          "e.clientWidth + 1).map(e => e.id)")
            expect(not cut, f"{name}, {size}: {cut} do not fit")
            faint = page.js(CONTRAST)
            expect(not faint, f"{name}, {size}, {theme}: faint: {faint[:5]}")
            page.driver.save_screenshot(f"{DIR}/{name}-{size}-{theme}.png")
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def check_log(page):
    """No request leaves the page, and the console is empty."""
    for entry in page.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        url = message.get("params", {}).get("request", {}).get("url", "")
        expect(not url or url.startswith(("file:", "blob:", "about:")),
               f"{page.path}: asks for {url}")
    for entry in page.driver.get_log("browser"):
        expect("hurt" in entry["message"] or
               "Content Security Policy" in entry["message"],
               f"{page.path}: {entry['message']}")


def check_limit(driver):
    """A page that keeps only both ends."""
    path = f"{DIR}/cut.html"
    run("--format=html", "--page-events=20", "-o", path, "-4")
    page = Page(driver, path)
    expect("first 10 events and the last 10" in page.text("message"),
           f"cut: {page.text('message')}")
    page.go(9)
    page.press("n")
    page.wait(lambda: page.event() > 9)
    expect(page.event() == 22, f"cut: n at 9 leads to {page.event()}")
    page.press("b")
    page.wait(lambda: page.event() == 9)
    page.js("location.hash = '#e=12'")
    page.wait(lambda: page.text("message"))
    expect("left out" in page.text("message"), "cut: a link into it")


def main():
    os.makedirs(DIR, exist_ok=True)
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    try:
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                                  options=options)
    except WebDriverException as error:
        # Some sandboxes let no browser start. That is no fault of the pages.
        print("check-page: no page was tried, for chromium does not start "
              f"here: {error.msg}", file=sys.stderr)
        return 0 if os.environ.get("BROWSER") == "optional" else 1
    driver.set_script_timeout(200)
    try:
        for name, arguments, most in RUNS:
            record, path = make_page(name, arguments)
            size = os.path.getsize(path)
            expect(size <= most, f"{path} takes {size} bytes")
            page = Page(driver, path)
            check_words(page, record)
            events = int(page.js("return document.getElementById('position')"
                                 ".max")) + 1
            check_keys(page, record, events)
            check_looks(page, name, min(24, events - 1))
            if name == "babyjit":
                check_modes(page)
                check_bytes(page, record)
                check_voices(page)
                check_print(page, path)
                check_rest(page, driver)
                check_tabs(page)
            check_log(page)
            if name == "babyjit":
                check_without_scripts(driver, path)
                check_hostile(driver, record)
        check_limit(driver)
    finally:
        driver.quit()
    print(f"check-page: pages and pictures are in {DIR}")
    return 1 if failures else 0


sys.exit(main())
