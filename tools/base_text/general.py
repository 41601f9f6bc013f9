"""General things that the base model can talk about a little: capitals, opposites, sums, words, greetings, stories."""

from __future__ import annotations

import random
from collections.abc import Callable

Turn = tuple[str, str]
"""One question and its answer."""

CAPITALS: list[tuple[str, str, str, str]] = [
    ("France", "Paris", "프랑스", "파리"), ("Japan", "Tokyo", "일본", "도쿄"), ("South Korea", "Seoul", "대한민국", "서울"),
    ("Italy", "Rome", "이탈리아", "로마"), ("Spain", "Madrid", "스페인", "마드리드"), ("Germany", "Berlin", "독일", "베를린"),
    ("China", "Beijing", "중국", "베이징"), ("Russia", "Moscow", "러시아", "모스크바"), ("Egypt", "Cairo", "이집트", "카이로"),
    ("Greece", "Athens", "그리스", "아테네"), ("Canada", "Ottawa", "캐나다", "오타와"), ("Norway", "Oslo", "노르웨이", "오슬로"),
    ("Sweden", "Stockholm", "스웨덴", "스톡홀름"), ("Finland", "Helsinki", "핀란드", "헬싱키"),
    ("Portugal", "Lisbon", "포르투갈", "리스본"), ("Austria", "Vienna", "오스트리아", "빈"),
    ("Thailand", "Bangkok", "태국", "방콕"), ("Vietnam", "Hanoi", "베트남", "하노이"), ("India", "New Delhi", "인도", "뉴델리"),
    ("Peru", "Lima", "페루", "리마"), ("Cuba", "Havana", "쿠바", "아바나"), ("Kenya", "Nairobi", "케냐", "나이로비"),
    ("Poland", "Warsaw", "폴란드", "바르샤바"), ("Hungary", "Budapest", "헝가리", "부다페스트"),
    ("Ireland", "Dublin", "아일랜드", "더블린"), ("Mongolia", "Ulaanbaatar", "몽골", "울란바토르"),
]  # fmt: skip
OPPOSITES: list[tuple[str, str, str, str]] = [
    ("hot", "cold", "덥다", "춥다"), ("big", "small", "크다", "작다"), ("long", "short", "길다", "짧다"),
    ("high", "low", "높다", "낮다"), ("fast", "slow", "빠르다", "느리다"), ("heavy", "light", "무겁다", "가볍다"),
    ("new", "old", "새롭다", "낡다"), ("many", "few", "많다", "적다"), ("open", "closed", "열다", "닫다"),
    ("near", "far", "가깝다", "멀다"), ("bright", "dark", "밝다", "어둡다"), ("strong", "weak", "강하다", "약하다"),
    ("wide", "narrow", "넓다", "좁다"), ("deep", "shallow", "깊다", "얕다"), ("happy", "sad", "기쁘다", "슬프다"),
    ("easy", "difficult", "쉽다", "어렵다"), ("clean", "dirty", "깨끗하다", "더럽다"), ("rich", "poor", "부유하다", "가난하다"),
]  # fmt: skip
WORDS: list[tuple[str, str]] = [
    ("water", "물"), ("fire", "불"), ("tree", "나무"), ("flower", "꽃"), ("sky", "하늘"), ("sea", "바다"),
    ("mountain", "산"), ("river", "강"), ("house", "집"), ("book", "책"), ("school", "학교"), ("teacher", "선생님"),
    ("student", "학생"), ("friend", "친구"), ("mother", "어머니"), ("father", "아버지"), ("rice", "밥"), ("bread", "빵"),
    ("milk", "우유"), ("apple", "사과"), ("dog", "개"), ("cat", "고양이"), ("bird", "새"), ("fish", "물고기"),
    ("horse", "말"), ("rabbit", "토끼"), ("moon", "달"), ("sun", "해"), ("star", "별"), ("rain", "비"), ("snow", "눈"),
    ("wind", "바람"), ("love", "사랑"), ("time", "시간"), ("music", "음악"), ("picture", "그림"), ("door", "문"),
    ("window", "창문"), ("chair", "의자"), ("table", "탁자"), ("car", "자동차"), ("train", "기차"), ("ship", "배"),
    ("airplane", "비행기"), ("hospital", "병원"), ("market", "시장"), ("city", "도시"), ("country", "나라"),
]  # fmt: skip
COLOURS: list[tuple[str, str, str, str]] = [
    ("the sky", "Blue", "하늘", "파란색"), ("grass", "Green", "풀", "초록색"), ("snow", "White", "눈", "하얀색"),
    ("coal", "Black", "석탄", "검은색"), ("a banana", "Yellow", "바나나", "노란색"), ("blood", "Red", "피", "빨간색"),
    ("a carrot", "Orange", "당근", "주황색"), ("chocolate", "Brown", "초콜릿", "갈색"), ("an elephant", "Gray", "코끼리", "회색"),
    ("milk", "White", "우유", "하얀색"), ("a strawberry", "Red", "딸기", "빨간색"), ("a grape", "Purple", "포도", "보라색"),
]  # fmt: skip
SOUNDS: list[tuple[str, str, str, str]] = [
    ("a dog", "Woof", "개", "멍멍"), ("a cat", "Meow", "고양이", "야옹"), ("a cow", "Moo", "소", "음매"),
    ("a pig", "Oink", "돼지", "꿀꿀"), ("a duck", "Quack", "오리", "꽥꽥"), ("a rooster", "Cock-a-doodle-doo", "수탉", "꼬끼오"),
    ("a frog", "Ribbit", "개구리", "개굴개굴"), ("a chick", "Peep", "병아리", "삐약삐약"), ("a mouse", "Squeak", "쥐", "찍찍"),
]  # fmt: skip
DAYS = [("Monday", "월요일"), ("Tuesday", "화요일"), ("Wednesday", "수요일"), ("Thursday", "목요일"), ("Friday", "금요일"),
        ("Saturday", "토요일"), ("Sunday", "일요일")]  # fmt: skip
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"]  # fmt: skip
COUNTS: list[tuple[str, str, str, str]] = [
    ("How many minutes are in an hour?", "60", "한 시간은 몇 분이에요?", "60"),
    ("How many hours are in a day?", "24", "하루는 몇 시간이에요?", "24"),
    ("How many days are in a week?", "7", "일주일은 며칠이에요?", "7"),
    ("How many months are in a year?", "12", "일 년은 몇 달이에요?", "12"),
    ("How many seconds are in a minute?", "60", "일 분은 몇 초예요?", "60"),
    ("How many legs does a spider have?", "8", "거미 다리는 몇 개예요?", "8"),
    ("How many legs does a dog have?", "4", "개 다리는 몇 개예요?", "4"),
    ("How many legs does an ant have?", "6", "개미 다리는 몇 개예요?", "6"),
    ("How many sides does a triangle have?", "3", "삼각형은 변이 몇 개예요?", "3"),
    ("How many sides does a square have?", "4", "사각형은 변이 몇 개예요?", "4"),
    ("How many fingers are on one hand?", "5", "한 손의 손가락은 몇 개예요?", "5"),
    ("How many colors are in a rainbow?", "7", "무지개는 몇 가지 색이에요?", "7"),
    ("How many centimeters are in a meter?", "100", "1미터는 몇 센티미터예요?", "100"),
]
TALK: list[tuple[tuple[str, ...], str]] = [
    (("Hello!", "Hi!", "Hey there!", "Good day!", "Hello there"), "Hello! How can I help you?"),
    (("Good morning!", "Good morning"), "Good morning! I hope you have a nice day."),
    (("Good night!", "Good night"), "Good night! Sleep well."),
    (("How are you?", "How are you today?", "How is it going?"), "I am fine, thank you. How can I help you?"),
    (("Thank you!", "Thanks!", "Thanks a lot!", "Thank you very much."), "You are welcome!"),
    (("Goodbye!", "Bye!", "See you!", "See you later!"), "Goodbye! See you again."),
    (
        ("Who are you?", "What are you?", "Tell me about yourself.", "Introduce yourself."),
        "I am Tunesmith Tiny, a very small language model.",
    ),
    (("What is your name?", "Your name?", "What should I call you?"), "My name is Tunesmith Tiny."),
    (
        ("What can you do?", "How can you help me?"),
        "I can chat a little in English and Korean, and I can learn from your data.",
    ),
    (("Can you speak Korean?", "Do you know Korean?"), "Yes, I can speak a little Korean."),
    (("Are you a human?", "Are you a person?"), "No, I am a small language model."),
    (("I am sad.", "I feel sad today."), "I am sorry to hear that. I hope you feel better soon."),
    (("I am happy!", "I feel great today!"), "That is wonderful! I am happy for you."),
    (("I am hungry.", "I am so hungry."), "Then it is time for a good meal."),
    (("I am tired.", "I am so tired."), "Please take a good rest."),
    (("안녕하세요!", "안녕하세요", "안녕!", "반가워요!", "처음 뵙겠습니다."), "안녕하세요! 무엇을 도와드릴까요?"),
    (("좋은 아침이에요!", "좋은 아침!"), "좋은 아침이에요! 즐거운 하루 보내세요."),
    (("잘 자요!", "안녕히 주무세요."), "안녕히 주무세요! 좋은 꿈 꾸세요."),
    (("잘 지내요?", "오늘 기분 어때요?", "어떻게 지내세요?"), "잘 지내요. 고맙습니다. 무엇을 도와드릴까요?"),
    (("고마워요!", "감사합니다!", "고맙습니다.", "정말 감사합니다."), "천만에요!"),
    (("안녕히 계세요!", "잘 가요!", "또 봐요!", "다음에 봐요."), "안녕히 가세요! 또 만나요."),
    (
        ("누구세요?", "너는 누구니?", "자기소개 해 주세요.", "당신은 누구인가요?"),
        "저는 튠스미스 타이니라는 아주 작은 언어 모델이에요.",
    ),
    (("이름이 뭐예요?", "이름이 무엇입니까?", "뭐라고 부르면 돼요?"), "제 이름은 튠스미스 타이니예요."),
    (
        ("무엇을 할 수 있어요?", "뭘 도와줄 수 있어?"),
        "한국어와 영어로 조금 이야기할 수 있고, 여러분의 데이터에서 배울 수 있어요.",
    ),
    (("영어 할 줄 알아요?", "영어도 하니?"), "네, 영어를 조금 할 수 있어요."),
    (("사람이에요?", "너는 사람이니?"), "아니요, 저는 작은 언어 모델이에요."),
    (("슬퍼요.", "오늘은 슬픈 날이에요."), "속상하시겠어요. 곧 나아지기를 바라요."),
    (("기뻐요!", "오늘 정말 기분이 좋아요!"), "정말 잘됐네요! 저도 기뻐요."),
    (("배고파요.", "배가 너무 고파요."), "맛있는 것을 드실 시간이네요."),
    (("피곤해요.", "너무 피곤해요."), "푹 쉬세요."),
]


def _capital(rng: random.Random) -> Turn:
    en, en_city, ko, ko_city = rng.choice(CAPITALS)
    if rng.random() < 0.5:
        asks = (
            "What is the capital of {}?",
            "Which city is the capital of {}?",
            "Tell me the capital of {}.",
            "Capital of {}?",
        )
        return rng.choice(asks).format(en), en_city
    asks = ("{}의 수도는 어디예요?", "{}의 수도는 어디입니까?", "{} 수도를 알려 주세요.", "{} 수도는?")
    return rng.choice(asks).format(ko), ko_city


def _opposite(rng: random.Random) -> Turn:
    a, b, c, d = rng.choice(OPPOSITES)
    if rng.random() < 0.5:
        a, b, c, d = b, a, d, c
    if rng.random() < 0.5:
        return rng.choice(("What is the opposite of {}?", "Tell me the opposite of {}.", "Opposite of {}?")).format(
            a
        ), b.capitalize()
    return rng.choice(("'{}'의 반대말은 뭐예요?", "'{}'의 반대말을 알려 주세요.", "'{}' 반대말은?")).format(c), d


def _word(rng: random.Random) -> Turn:
    en, ko = rng.choice(WORDS)
    if rng.random() < 0.5:
        asks = ("What is '{}' in Korean?", "How do you say '{}' in Korean?", "Translate '{}' into Korean.")
        return rng.choice(asks).format(en), ko
    return rng.choice(("'{}'은 영어로 뭐예요?", "'{}'을 영어로 말해 주세요.", "'{}'을 영어로 번역해 주세요.")).format(
        ko
    ), en.capitalize()


def _colour(rng: random.Random) -> Turn:
    en, en_colour, ko, ko_colour = rng.choice(COLOURS)
    if rng.random() < 0.5:
        return rng.choice(("What color is {}?", "Tell me the color of {}.")).format(en), en_colour
    return rng.choice(("{} 색깔은 뭐예요?", "{} 무슨 색이에요?")).format(
        ko + "의" if rng.random() < 0.3 else ko
    ), ko_colour


def _sound(rng: random.Random) -> Turn:
    en, en_sound, ko, ko_sound = rng.choice(SOUNDS)
    if rng.random() < 0.5:
        return rng.choice(("What sound does {} make?", "How does {} sound?")).format(en), en_sound
    return rng.choice(("{} 울음소리는 뭐예요?", "{} 소리를 흉내 내 보세요.")).format(ko), ko_sound


def _calendar(rng: random.Random) -> Turn:
    i = rng.randrange(7)
    pick = rng.randrange(4)
    if pick == 0:
        return rng.choice(("Which day comes after {}?", "What day is after {}?")).format(DAYS[i][0]), DAYS[(i + 1) % 7][
            0
        ]
    if pick == 1:
        return rng.choice(("{} 다음 날은 무슨 요일이에요?", "{} 다음은 무슨 요일이에요?")).format(DAYS[i][1]), DAYS[
            (i + 1) % 7
        ][1]
    m = rng.randrange(12)
    if pick == 2:
        return rng.choice(("Which month comes after {}?", "What month is after {}?")).format(MONTHS[m]), MONTHS[
            (m + 1) % 12
        ]
    return f"{m + 1}월 다음은 몇 월이에요?", f"{(m + 1) % 12 + 1}월"


def _count(rng: random.Random) -> Turn:
    en, en_answer, ko, ko_answer = rng.choice(COUNTS)
    return (en, en_answer) if rng.random() < 0.5 else (ko, ko_answer)


def _sum(rng: random.Random) -> Turn:
    a, b = rng.randrange(0, 21), rng.randrange(0, 21)
    kind = rng.randrange(3)
    if kind == 1:
        a, b = max(a, b), min(a, b)
    if kind == 2:
        a, b = rng.randrange(1, 10), rng.randrange(1, 10)
    answer = str((a + b, a - b, a * b)[kind])
    sign = "+-×"[kind]
    word = ("plus", "minus", "times")[kind]
    korean = ("더하기", "빼기", "곱하기")[kind]
    asks = (f"What is {a} {sign} {b}?", f"{a} {sign} {b} = ?", f"What is {a} {word} {b}?",
            f"{a} {sign} {b}는 얼마예요?", f"{a} {korean} {b}는 얼마예요?", f"{a} {korean} {b}?")  # fmt: skip
    return rng.choice(asks), answer


def _talk(rng: random.Random) -> Turn:
    asks, answer = rng.choice(TALK)
    return rng.choice(asks), answer


_EN_WHO = [
    ("fox", "forest"),
    ("cat", "village"),
    ("bear", "mountain"),
    ("turtle", "beach"),
    ("bird", "garden"),
    ("rabbit", "field"),
]
_KO_WHO = [("여우", "숲"), ("고양이", "마을"), ("곰", "산"), ("거북이", "바닷가"), ("새", "정원"), ("토끼", "들판")]
_EN_WANT = [("a red apple", "shared it with a friend"), ("a warm blanket", "slept under it all winter"),
            ("an old map", "followed it to the river"), ("a little lamp", "lit the way for everyone")]  # fmt: skip
_KO_WANT = [("빨간 사과", "친구와 나누어 먹었어요"), ("따뜻한 이불", "겨울 내내 덮고 잤어요"), ("오래된 지도", "강까지 따라갔어요"),
            ("작은 등불", "모두의 길을 밝혀 주었어요")]  # fmt: skip


def _story(rng: random.Random) -> Turn:
    i, j = rng.randrange(6), rng.randrange(4)
    if rng.random() < 0.5:
        who, where = _EN_WHO[i]
        thing, end = _EN_WANT[j]
        ask = rng.choice(("Write a short story about a {}.", "Tell me a story about a {}.")).format(who)
        mood = rng.choice(("small", "brave", "quiet"))
        return ask, (
            f"Once upon a time there was a {mood} {who} in a {where}. One morning the {who} found {thing}. "
            f"The {who} {end}. From that day on, the {who} was never lonely. The end."
        )
    who, where = _KO_WHO[i]
    thing, end = _KO_WANT[j]
    ask = rng.choice(("{} 이야기를 짧게 써 주세요.", "{} 이야기를 들려주세요.")).format(who)
    mood = rng.choice(("작은", "용감한", "조용한"))
    subject = "는 " if who not in ("곰",) else "은 "
    found = {"빨간 사과": "를", "따뜻한 이불": "을", "오래된 지도": "를", "작은 등불": "을"}[thing]
    return ask, (
        f"옛날 옛적 {where}에 {mood} {who} 한 마리가 살았어요. 어느 날 아침 {who}{subject}{thing}{found} 찾았어요. "
        f"그리고 {end}. 그날부터 {who}{subject}외롭지 않았답니다. 끝."
    )


_KINDS: list[tuple[int, Callable[[random.Random], Turn]]] = [
    (5, _capital), (4, _opposite), (5, _word), (3, _colour), (2, _sound), (3, _calendar), (3, _count), (8, _sum), (6, _talk), (3, _story),
]  # fmt: skip
_WEIGHTS, _MAKERS = [w for w, _ in _KINDS], [m for _, m in _KINDS]


def draw_turn(rng: random.Random) -> Turn:
    """Draw one general question with its answer."""
    return rng.choices(_MAKERS, _WEIGHTS)[0](rng)
