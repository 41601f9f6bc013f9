"""The ways of asking, by attribute and language.

Each attribute lists the wordings of the example's training file first and, after ``HELD_OUT``, the ones that only the
held-out questions use. The base model meets all of them, about other places and companies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asking:
    """Wordings of one question: ``trained`` go into the example's training file, ``held_out`` into its questions."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every wording."""
        return self.trained + self.held_out


# Destinations: {d} is the place that one travels to.
DESTINATION: dict[str, dict[str, Asking]] = {
    "adult_fare": {
        "en": Asking(
            (
                "What is the adult fare to {d}?",
                "How much is an adult ticket to {d}?",
                "Please tell me the price for one adult to {d}.",
                "Adult fare, {d}?",
            ),
            ("I am a grown-up heading for {d}; how much will I pay?", "Going to {d} as an adult costs what?"),
        ),
        "ko": Asking(
            (
                "{d} 성인 요금이 얼마예요?",
                "{d}까지 어른 표는 얼마입니까?",
                "성인 한 명이 {d}에 가는 가격을 알려 주세요.",
                "어른 요금, {d}?",
            ),
            ("어른인데 {d} 가려면 돈을 얼마나 내야 하죠?", "{d}에 어른이 타고 가면 비용이 어떻게 되나요?"),
        ),
    },
    "child_fare": {
        "en": Asking(
            (
                "What is the child fare to {d}?",
                "How much is a child ticket to {d}?",
                "Please tell me the price for one child to {d}.",
                "Child fare, {d}?",
            ),
            ("My kid is coming along to {d}; how much for the little one?", "Going to {d} as a child costs what?"),
        ),
        "ko": Asking(
            (
                "{d} 어린이 요금이 얼마예요?",
                "{d}까지 아이 표는 얼마입니까?",
                "어린이 한 명이 {d}에 가는 가격을 알려 주세요.",
                "아이 요금, {d}?",
            ),
            ("우리 애를 데리고 {d} 가려는데 아이 몫은 얼마를 내죠?", "{d}에 어린이가 타고 가면 비용이 어떻게 되나요?"),
        ),
    },
    "first_departure": {
        "en": Asking(
            (
                "When is the first departure to {d}?",
                "What time does the first trip to {d} leave?",
                "Please give me the time of the first service to {d}.",
                "First departure, {d}?",
            ),
            (
                "I want to be in {d} as early as possible; when can I start?",
                "The earliest one for {d} goes at what time?",
            ),
        ),
        "ko": Asking(
            (
                "{d} 첫 출발은 몇 시예요?",
                "{d}행 첫차는 언제 떠나나요?",
                "{d}으로 가는 첫 편 시간을 알려 주세요.",
                "첫 편, {d}?",
            ),
            ("아침 일찍 {d}에 가고 싶은데 가장 빠른 시간이 언제인가요?", "제일 이른 {d}행은 몇 시에 나가죠?"),
        ),
    },
    "last_departure": {
        "en": Asking(
            (
                "When is the last departure to {d}?",
                "What time does the last trip to {d} leave?",
                "Please give me the time of the last service to {d}.",
                "Last departure, {d}?",
            ),
            ("I will be late for {d}; until when can I still go?", "The latest one for {d} goes at what time?"),
        ),
        "ko": Asking(
            (
                "{d} 마지막 출발은 몇 시예요?",
                "{d}행 막차는 언제 떠나나요?",
                "{d}으로 가는 마지막 편 시간을 알려 주세요.",
                "마지막 편, {d}?",
            ),
            ("저녁 늦게 {d}에 가려면 몇 시까지 탈 수 있나요?", "제일 늦은 {d}행은 몇 시에 나가죠?"),
        ),
    },
    "duration": {
        "en": Asking(
            (
                "How long does the trip to {d} take?",
                "What is the travel time to {d}?",
                "Please tell me how long one travels to {d}.",
                "Travel time, {d}?",
            ),
            ("Once on board, when do I reach {d}?", "Getting over to {d} needs how many minutes?"),
        ),
        "ko": Asking(
            (
                "{d}까지 얼마나 걸려요?",
                "{d} 소요 시간이 어떻게 됩니까?",
                "{d}까지 가는 데 걸리는 시간을 알려 주세요.",
                "소요 시간, {d}?",
            ),
            ("타고 나서 {d}에 닿기까지 몇 분이나 있어야 하죠?", "몇 분이면 {d}에 도착하나요?"),
        ),
    },
    "berth": {
        "en": Asking(
            (
                "Where does the service to {d} leave from?",
                "Which gate is for {d}?",
                "Please tell me the boarding place for {d}.",
                "Boarding place, {d}?",
            ),
            ("I hold a ticket for {d}; where should I stand in line?", "To get on for {d}, I go to which spot?"),
        ),
        "ko": Asking(
            (
                "{d} 가는 편은 어디에서 출발해요?",
                "{d}행은 몇 번 승강장입니까?",
                "{d} 타는 곳을 알려 주세요.",
                "타는 곳, {d}?",
            ),
            ("{d} 표를 샀는데 어디에 줄을 서야 하죠?", "어느 자리로 가야 {d} 편에 오를 수 있나요?"),
        ),
    },
    "desk": {
        "en": Asking(
            (
                "What is the extension of the {d} ticket desk?",
                "Which extension do I dial for the {d} desk?",
                "Please give me the phone extension for {d}.",
                "Desk extension, {d}?",
            ),
            (
                "I need to call somebody about {d}; what number do I press?",
                "To talk to staff in charge of {d}, I ring where?",
            ),
        ),
        "ko": Asking(
            (
                "{d} 매표소 내선 번호가 뭐예요?",
                "{d} 창구는 내선 몇 번입니까?",
                "{d} 담당 전화 내선을 알려 주세요.",
                "창구 내선, {d}?",
            ),
            ("{d} 일로 통화하고 싶은데 어느 번호를 누르면 되죠?", "전화로 {d} 직원과 이야기하려면 몇 번인가요?"),
        ),
    },
}

# Companies: {c} is the carrier.
COMPANY: dict[str, dict[str, Asking]] = {
    "bicycle_fee": {
        "en": Asking(
            (
                "What does {c} charge for a bicycle?",
                "How much is the bicycle fee at {c}?",
                "Please tell me what a bike costs with {c}.",
                "Bicycle fee, {c}?",
            ),
            ("Can I bring my bike along on {c}, and for how much?",),
        ),
        "ko": Asking(
            (
                "{c} 자전거 요금이 얼마예요?",
                "{c}에 자전거를 실으면 얼마입니까?",
                "{c}의 자전거 운임을 알려 주세요.",
                "자전거 요금, {c}?",
            ),
            ("자전거를 가지고 {c} 타려고 하는데 추가로 얼마를 내죠?",),
        ),
    },
    "pet_fee": {
        "en": Asking(
            (
                "What does {c} charge for a pet?",
                "How much is the pet fee at {c}?",
                "Please tell me what a dog or cat costs with {c}.",
                "Pet fee, {c}?",
            ),
            ("My dog travels on {c} with me; what is to be paid for him?",),
        ),
        "ko": Asking(
            (
                "{c} 반려동물 요금이 얼마예요?",
                "{c}에 강아지를 태우면 얼마입니까?",
                "{c}의 반려동물 운임을 알려 주세요.",
                "반려동물 요금, {c}?",
            ),
            ("우리 개랑 같이 {c} 타고 싶은데 개 몫으로 얼마를 내죠?",),
        ),
    },
    "luggage_limit": {
        "en": Asking(
            (
                "What is the luggage limit at {c}?",
                "How heavy may my luggage be at {c}?",
                "Please tell me the baggage weight allowed by {c}.",
                "Luggage limit, {c}?",
            ),
            ("My suitcase is big; up to how many kilos will {c} take it?",),
        ),
        "ko": Asking(
            (
                "{c} 수하물 제한이 얼마예요?",
                "{c}에서 짐은 몇 킬로까지 됩니까?",
                "{c}의 수하물 무게 한도를 알려 주세요.",
                "수하물 한도, {c}?",
            ),
            ("가방이 무거운데 {c} 탈 때 어느 무게까지 받아 주나요?",),
        ),
    },
    "lost_property": {
        "en": Asking(
            (
                "What is the lost property extension at {c}?",
                "Which extension is lost and found at {c}?",
                "Please give me the lost property number of {c}.",
                "Lost property, {c}?",
            ),
            ("I left my umbrella on {c}; where do I call?",),
        ),
        "ko": Asking(
            (
                "{c} 분실물 센터 내선이 뭐예요?",
                "{c} 유실물은 내선 몇 번입니까?",
                "{c} 분실물 담당 번호를 알려 주세요.",
                "분실물, {c}?",
            ),
            ("{c} 타고 오다가 우산을 두고 내렸는데 어디로 전화하죠?",),
        ),
    },
    "group_discount": {
        "en": Asking(
            (
                "What is the group discount at {c}?",
                "How much do groups save at {c}?",
                "Please tell me the reduction for groups at {c}.",
                "Group discount, {c}?",
            ),
            ("We are a whole school class; how much cheaper is {c} for us?",),
        ),
        "ko": Asking(
            (
                "{c} 단체 할인은 얼마예요?",
                "{c}에서 단체는 얼마나 할인됩니까?",
                "{c}의 단체 할인율을 알려 주세요.",
                "단체 할인, {c}?",
            ),
            ("우리 반 학생들이 다 함께 {c} 타면 얼마나 싸지나요?",),
        ),
    },
    "free_age": {
        "en": Asking(
            (
                "Up to what age do children travel free with {c}?",
                "Which children ride free at {c}?",
                "Please tell me the free travel age at {c}.",
                "Free age, {c}?",
            ),
            ("We have a baby; how young must one be to pay nothing on {c}?",),
        ),
        "ko": Asking(
            (
                "{c}에서 몇 살까지 무료예요?",
                "{c} 무료 승차 나이가 어떻게 됩니까?",
                "{c}의 무료 나이 기준을 알려 주세요.",
                "무료 나이, {c}?",
            ),
            ("아기와 함께 {c} 타는데 얼마나 어려야 돈을 안 내나요?",),
        ),
    },
    "booking_window": {
        "en": Asking(
            (
                "How early can I book with {c}?",
                "When does booking open at {c}?",
                "Please tell me how far ahead {c} sells tickets.",
                "Booking opens, {c}?",
            ),
            ("I am planning my holiday; from when on may I reserve a seat on {c}?",),
        ),
        "ko": Asking(
            (
                "{c} 예약은 언제부터 돼요?",
                "{c} 예매는 며칠 전에 열립니까?",
                "{c}의 예약 시작일을 알려 주세요.",
                "예약 시작, {c}?",
            ),
            ("휴가 계획을 세우는데 {c} 자리를 언제부터 미리 잡을 수 있나요?",),
        ),
    },
    "refund": {
        "en": Asking(
            (
                "What is the cancellation fee at {c}?",
                "How much does it cost to cancel with {c}?",
                "Please tell me what {c} keeps when I cancel.",
                "Cancellation fee, {c}?",
            ),
            ("I cannot go after all; what do I lose if I give my {c} seat back?",),
        ),
        "ko": Asking(
            (
                "{c} 취소 수수료가 얼마예요?",
                "{c} 표를 취소하면 얼마를 뗍니까?",
                "{c}의 환불 수수료를 알려 주세요.",
                "취소 수수료, {c}?",
            ),
            ("갑자기 못 가게 돼서 {c} 자리를 물리려는데 얼마나 손해인가요?",),
        ),
    },
    "office_opens": {
        "en": Asking(
            (
                "When does the {c} office open?",
                "What time does {c} open its counter?",
                "Please tell me the opening time of {c}.",
                "Opening time, {c}?",
            ),
            ("I would like to visit the {c} people in the morning; from what hour are they in?",),
        ),
        "ko": Asking(
            (
                "{c} 사무실은 몇 시에 열어요?",
                "{c} 창구는 언제 엽니까?",
                "{c}의 문 여는 시간을 알려 주세요.",
                "여는 시간, {c}?",
            ),
            ("아침에 {c} 직원을 만나러 가려는데 몇 시부터 있나요?",),
        ),
    },
    "office_closes": {
        "en": Asking(
            (
                "When does the {c} office close?",
                "What time does {c} close its counter?",
                "Please tell me the closing time of {c}.",
                "Closing time, {c}?",
            ),
            ("I can only come to the {c} people after work; until what hour are they in?",),
        ),
        "ko": Asking(
            (
                "{c} 사무실은 몇 시에 닫아요?",
                "{c} 창구는 언제 닫습니까?",
                "{c}의 문 닫는 시간을 알려 주세요.",
                "닫는 시간, {c}?",
            ),
            ("퇴근하고 {c} 직원을 만나러 가려는데 몇 시까지 있나요?",),
        ),
    },
}

# Venues occur in the base text only: {v} is a library, a museum, an inn, a café or a clinic.
VENUE: dict[str, dict[str, Asking]] = {
    "entry": {
        "en": Asking(
            ("What does it cost to enter {v}?", "How much is the entrance fee of {v}?", "Entry fee, {v}?"),
            ("I would like to see {v}; how much money do I need?",),
        ),
        "ko": Asking(
            ("{v} 입장료가 얼마예요?", "{v}에 들어가려면 얼마입니까?", "입장료, {v}?"),
            ("{v} 구경하고 싶은데 돈이 얼마나 들까요?",),
        ),
    },
    "closed_day": {
        "en": Asking(
            ("On which day is {v} closed?", "When does {v} take its day off?", "Closed on, {v}?"),
            ("I do not want to stand before a locked door at {v}; which day should I avoid?",),
        ),
        "ko": Asking(
            ("{v은} 무슨 요일에 쉬어요?", "{v} 휴관일이 언제입니까?", "쉬는 날, {v}?"),
            ("{v}에 갔다가 헛걸음하기 싫은데 어느 요일을 피해야 하죠?",),
        ),
    },
    "opens": {
        "en": Asking(
            ("When does {v} open?", "What time can I go into {v}?", "Opening time, {v}?"),
            ("I get up early; from what hour can I be at {v}?",),
        ),
        "ko": Asking(
            ("{v은} 몇 시에 열어요?", "{v} 여는 시간이 언제입니까?", "여는 시간, {v}?"),
            ("아침에 {v}에 가려는데 몇 시부터 들어갈 수 있나요?",),
        ),
    },
    "street": {
        "en": Asking(
            ("On which street is {v}?", "Where is {v}?", "Address, {v}?"),
            ("I am looking for {v}; which road do I take?",),
        ),
        "ko": Asking(
            ("{v은} 어느 길에 있어요?", "{v이} 어디에 있습니까?", "주소, {v}?"),
            ("{v}에 찾아가려는데 어느 길로 가야 하죠?",),
        ),
    },
    "founder": {
        "en": Asking(
            ("Who founded {v}?", "Who is the founder of {v}?", "Founder, {v}?"),
            ("I heard a story about the start of {v}; who began it?",),
        ),
        "ko": Asking(
            ("{v은} 누가 세웠어요?", "{v}의 설립자가 누구입니까?", "설립자, {v}?"),
            ("{v} 이야기가 궁금한데 처음 만든 사람이 누구죠?",),
        ),
    },
}
